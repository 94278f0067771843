// Stand-ins for time and the network: a clock that is moved by hand, and a socket that does what it is told.

export class FakeClock {
  time = 1_000_000;
  #timers = new Map();
  #next = 1;

  now = () => this.time;

  setTimeout = (call, ms) => {
    this.#timers.set(this.#next, { call, at: this.time + ms });
    return this.#next++;
  };

  clearTimeout = (timer) => {
    this.#timers.delete(timer);
  };

  /** Lets `ms` pass, and whatever falls due in them happen, promises too. */
  async pass(ms) {
    const end = this.time + ms;
    for (;;) {
      await settled();
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [timer, { call, at }] = due;
      this.#timers.delete(timer);
      this.time = Math.max(this.time, at);
      call();
    }
    this.time = end;
    await settled();
  }
}

/** Lets promises that are ready run. */
export async function settled() {
  for (let i = 0; i < 20; i += 1) await null;
}

export class FakeSocket {
  connected = false;
  active = false;
  attempts = 0;
  sent = [];
  sendBuffer = [];
  io = { opts: { transports: ["websocket", "polling"] } };
  /** What the server answers; a promise that never ends is a server that is silent. */
  answer = () => ({ ok: true });
  #listeners = new Map();
  #pending = new Set();

  on(name, listener) {
    this.#listeners.set(name, [...this.listeners(name), listener]);
  }

  off(name) {
    this.#listeners.delete(name);
  }

  listeners(name) {
    return this.#listeners.get(name) ?? [];
  }

  fire(name, ...given) {
    for (const listener of this.listeners(name)) listener(...given);
  }

  connect() {
    this.attempts += 1;
    this.active = true;
  }

  disconnect() {
    this.active = false;
    if (this.connected) this.drop();
  }

  timeout(ms) {
    return {
      emitWithAck: (name, data) => {
        this.sent.push([name, data]);
        return new Promise((resolve, reject) => {
          this.#pending.add(reject);
          Promise.resolve(this.answer(name, data)).then(resolve, reject);
          this.limit?.(() => reject(new Error("timeout")), ms);
        });
      },
    };
  }

  // What happens to it.

  /** The connection stands, and the server says welcome. */
  welcome(data = {}) {
    this.connected = true;
    this.fire("connect");
    this.fire("welcome", {
      v: 1, room: { name: "lobby", title: "Lobby" }, epoch: "e1", seq: 0, recovered: false, here: 1, members: [],
      listed: true, messages: [], limits: { name: 32, text: 2000 }, ...data,
    });
  }

  drop() {
    this.connected = false;
    for (const reject of this.#pending) reject(new Error("socket has been disconnected"));
    this.#pending.clear();
    this.fire("disconnect", "transport close");
  }

  said(name) {
    return this.sent.filter(([sent]) => sent === name).map(([, data]) => data);
  }
}
