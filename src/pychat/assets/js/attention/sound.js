/** A soft sound for a message: two notes made by the browser. Loaded when it is first heard. */

/** Hertz: E5 and A5. */
const NOTES = [659.26, 880];
/** Seconds. */
const APART = 0.09;
const LENGTH = 0.35;
const LOUDNESS = 0.06;

let context;

/** Plays the sound. Silent until the user has touched the page: browsers allow no sound before. */
export async function play() {
  try {
    context ??= new AudioContext();
    if (context.state === "suspended") await context.resume();
    NOTES.forEach((pitch, at) => note(pitch, context.currentTime + at * APART));
  } catch {
    // The device has no sound.
  }
}

function note(pitch, from) {
  const tone = new OscillatorNode(context, { type: "sine", frequency: pitch });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, from);
  volume.gain.linearRampToValueAtTime(LOUDNESS, from + 0.015);
  volume.gain.exponentialRampToValueAtTime(0.0001, from + LENGTH);
  tone.connect(volume).connect(context.destination);
  tone.start(from);
  tone.stop(from + LENGTH);
}
