// @ts-check
/**
 * A connection that also says something to the shop, and hears whether it was heard.
 * Not for: connecting (connection.js).
 */

import { Connection } from './connection.js';

const ACK_TIMEOUT_MS = 15_000;

/**
 * @typedef {object} Request
 * @property {(payload: any) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {ReturnType<typeof setTimeout>} timer
 */

export class Client extends Connection {
  #nextId = 1;
  /** Requests without an ack yet. @type {Map<number, Request>} */
  #pending = new Map();

  /** @param {import('./connection.js').ConnectionOptions} [options] */
  constructor(options) {
    super(options);
    this.addEventListener('state', () => {
      if (this.state !== 'open') this.#pending.forEach((_, id) => this.#fail(id));
    });
  }

  /**
   * Sends if open. What must not be lost is sent over HTTP instead.
   * @param {string} type
   * @param {unknown} [payload]
   * @returns {boolean} whether it was sent
   */
  send(type, payload) { return this.#post({ type, payload }); }

  /**
   * Sends and waits for the ack.
   * @param {string} type
   * @param {unknown} [payload]
   * @returns {Promise<any>} the ack's payload
   */
  request(type, payload) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (!this.#post({ type, payload, id })) return reject(new Error('not connected'));
      this.#pending.set(id, { resolve, reject, timer: setTimeout(() => this.#fail(id), ACK_TIMEOUT_MS) });
    });
  }

  /** @param {unknown} frame */
  #post(frame) {
    if (this.state !== 'open') return false;
    this.socket?.send(JSON.stringify(frame));
    return true;
  }

  /** @param {any} frame */
  take(frame) {
    if (frame.type === 'ack') this.#end(frame.id)?.resolve(frame.payload);
    else super.take(frame);
  }

  /**
   * Takes a request that has ended out of the pending ones.
   * @param {number} id
   */
  #end(id) {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(request?.timer);
    return request;
  }

  /** @param {number} id */
  #fail(id) { this.#end(id)?.reject(new Error('no answer')); }
}
