// @ts-check
/**
 * The client of a shopbell for pages and apps in JavaScript; its types are in shopbell.d.ts.
 *
 *   import { Shopbell } from 'https://shop.example/client/shopbell.js';
 *   const shop = new Shopbell({ server: 'https://shop.example', key: 'lk_…' });
 *   shop.on('BUY_GOODS', ({ nickname, goodsName }) => console.log(nickname, goodsName));
 *   shop.open();
 *
 * It connects to `/ws`, comes back by itself after what a network or a deploy does, resumes where it stopped and heeds what a
 * close code says. Served as one file. Not for: toasts (../widget/).
 */

import { Api, ApiError } from './api.js';
import { CLOSE, delayAfterClose } from './backoff.js';
import { Client } from './client.js';
import { SharedConnection } from './shared.js';

/** @import { ConnectionOptions } from './connection.js' */

export class Shopbell extends Client {
  /** The REST API of the same shop, as the same reader. */ api;

  /** @param {ConnectionOptions} [options] */
  constructor(options) {
    super(options);
    this.api = new Api(options);
  }

  /**
   * @param {string} type
   * @param {(payload: any) => void} listener
   * @returns {() => void} ends it
   */
  on(type, listener) { return on(this, type, listener); }

  /**
   * Orders over the connection.
   * @param {unknown} order
   * @returns {Promise<any>} the ack
   */
  buy(order) { return this.request('BUY', order); }
}

/** Hears the same for all tabs of a browser by one connection, and says nothing. */
export class SharedShopbell extends SharedConnection {
  /**
   * @param {string} type
   * @param {(payload: any) => void} listener
   * @returns {() => void} ends it
   */
  on(type, listener) { return on(this, type, listener); }
}

/**
 * @param {EventTarget} target
 * @param {string} type
 * @param {(payload: any) => void} listener
 */
function on(target, type, listener) {
  const hear = (/** @type {Event} */ event) => listener(/** @type {CustomEvent} */ (event).detail);
  target.addEventListener(type, hear);
  return () => target.removeEventListener(type, hear);
}

export { Api, ApiError, CLOSE, delayAfterClose };
