/** Scripts that are loaded when they are first needed. */

/**
 * @template T
 * @param {() => Promise<T>} load such as `() => import("./x.js")`
 * @returns {(() => Promise<T>) & {loaded?: T}} loads it once; after a failure, the next call tries again
 */
export function later(load) {
  let loading;
  const get = () =>
    (loading ??= load().then(
      (found) => (get.loaded = found),
      (error) => {
        loading = undefined;
        throw error;
      },
    ));
  return get;
}
