// @ts-check
/**
 * The bell as a sound, made here: off until it is turned on, because browsers and people ask for that.
 * Not for: when it rings.
 */

/** Parts of the strike: their frequency in Hz, how loud, how many seconds they last. */
const PARTIALS = [[880, 0.20, 1.2], [1320, 0.10, 0.9], [2217, 0.05, 0.5]];
/** Many orders at once are one strike. */
const QUIET_MS = 350;

export class Bell {
  /** @type {AudioContext | null} */ #context = null;
  #lastAt = 0;

  get isOn() { return this.#context !== null; }

  /** Call on a click. */
  async turnOn() {
    this.#context = new AudioContext();
    await this.#context.resume();
    this.ring();
  }

  turnOff() {
    this.#context?.close();
    this.#context = null;
  }

  ring() {
    const context = this.#context;
    if (!context || performance.now() - this.#lastAt < QUIET_MS) return;
    this.#lastAt = performance.now();
    for (const [frequency, loudness, seconds] of PARTIALS) {
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(loudness, context.currentTime);
      volume.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + seconds);
      tone.connect(volume).connect(context.destination);
      tone.start();
      tone.stop(context.currentTime + seconds);
    }
  }
}
