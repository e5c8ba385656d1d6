// @ts-check
/**
 * One connection for all tabs of a browser: one leads and tells the others what it hears.
 *
 * The leader holds a Web Lock, which the browser gives to the next tab the moment the leader is closed or crashes; that one
 * resumes after the newest offset that it has heard. What two leaders tell twice falls out by its offset. A leader that is
 * frozen answers no more, and a tab that is looked at takes the lock away from it.
 *
 * Without Web Locks, as on a page without HTTPS, each tab connects by itself.
 * Not for: a page that says who it is or where, as the shop's own do (js/realtime.js).
 *
 * @import { ConnectionOptions } from './connection.js'
 */

import { Connection } from './connection.js';
import { every, listen } from './listen.js';

/** How often a tab that is looked at makes sure that somebody leads. */
const CHECK_EVERY_MS = 10_000;
/** How long a leader may take to answer. */
const ANSWER_MS = 500;

export class SharedConnection extends Connection {
  /** Same server, same rights, same events. */ #name;
  /** @type {BroadcastChannel | null} */ #channel = null;
  /** Gives the lock back. @type {(() => void) | null} */ #release = null;
  /** When the question that was not answered yet was asked, by the monotonic clock. */ #asked = NaN;
  /** Aborted on close. @type {AbortController | null} */ #life = null;

  /** @param {ConnectionOptions} options */
  constructor(options) {
    super(options);
    const { server, key, token, digest } = options;
    this.#name = `shopbell ${JSON.stringify([server, key ?? token, digest])}`;
  }

  open() {
    if (this.#life) return;
    this.#life = new AbortController();
    const { signal } = this.#life;
    listen(globalThis, signal, {
      // Who holds a lock or a channel is kept out of the back/forward cache.
      pagehide: () => this.#leave(),
      pageshow: (event) => { if (event.persisted) this.#join(); },
    });
    listen(document, signal, { visibilitychange: () => this.#check() });
    every(CHECK_EVERY_MS, signal, () => this.#check());
    this.#join();
  }

  /** @param {number} [code] of the server; then another tab may have what opens it again */
  close(code) {
    this.#life?.abort();
    this.#life = null;
    this.#leave(code);
  }

  /** @param {Event} event */
  dispatchEvent(event) {
    const { type, detail } = /** @type {CustomEvent} */ (event);
    if (this.#release && type !== 'state') this.#channel?.postMessage({ type, payload: detail });
    return super.dispatchEvent(event);
  }

  #join() {
    if (!navigator.locks) return super.open();
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#check();
    this.#queue();
  }

  /** @param {number} [code] */
  #leave(code) {
    this.#channel?.close();
    this.#channel = null;
    this.#asked = NaN;
    super.close(code);
    this.#release?.();
    this.#release = null;
  }

  /** @param {LockOptions} [options] */
  #queue(options = {}) {
    const channel = this.#channel;
    navigator.locks.request(this.#name, options, () => new Promise((resolve) => {
      if (channel !== this.#channel) return resolve(null);
      this.#release = () => resolve(null);
      super.open();
    })).catch((error) => {
      if (channel !== this.#channel) return;
      this.#leave();
      // Another tab has taken it; or there are none here, as in a sandbox.
      if (error.name === 'AbortError') this.#join();
      else super.open();
    });
  }

  /** @param {any} frame of the leader, or a question to it */
  #hear(frame) {
    const { hello, lastId } = this;
    if (frame.type === 'ask') {
      const time = new Date(this.now()).toJSON();
      const answer = frame.payload && hello ? { type: 'hello', payload: { ...hello, latest: lastId, time } } : { type: 'alive' };
      if (this.#release) this.#channel?.postMessage(answer);
    } else if (!this.#release) {
      this.#asked = NaN;
      if (frame.type !== 'alive') this.take(frame);
    }
  }

  #check() {
    const now = performance.now();
    if (!this.#channel || this.#release || document.hidden || now < this.#asked + ANSWER_MS) return;
    if (this.#asked) this.#queue({ steal: true });
    // Who takes the lead tells the others, so that they don't.
    this.#channel.postMessage({ type: this.#asked ? 'alive' : 'ask', payload: !this.hello });
    this.#asked = this.#asked ? NaN : now;
  }
}
