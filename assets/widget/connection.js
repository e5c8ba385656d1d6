// @ts-check
/**
 * One reconnecting WebSocket to `/ws` (docs/contract.md §3b) as an EventTarget.
 * For: the storefront (js/realtime.js) and the toast widget when it stands alone.
 * Not for: deciding what an event means to a page, or who is logged in.
 *
 * Events: every server frame as a CustomEvent named by its `type`, `detail` = payload;
 * and `state`, detail `{state, code}`.
 *
 * @typedef {'connecting' | 'open' | 'waiting' | 'stopped'} State `waiting`: will try again; `stopped`: will not
 *
 * @typedef {object} Hello the first frame of the server
 * @property {string} session
 * @property {{nickname: string} | null} user null for a guest
 * @property {number} latest the newest offset of the log
 *
 * @typedef {object} Alert payload of `BUY_GOODS`
 * @property {number} id its offset in the log
 * @property {string} nickname
 * @property {number} goodsId
 * @property {string} goodsName
 * @property {string} [firstGoodsName]
 * @property {number} [otherGoods]
 * @property {string} date RFC 3339
 */

import { CLOSE, FIRST_DELAY_MS, delayAfterClose } from './backoff.js';

/** A connection that lasted this long was stable: the next backoff starts again from the first delay. */
const STABLE_AFTER_MS = 10_000;
const ACK_TIMEOUT_MS = 15_000;

export class Connection extends EventTarget {
  /** Of the current or the last connection. @type {Hello | null} */
  hello = null;
  /** The newest offset seen, from which a reconnect resumes. @type {number | null} */
  lastId = null;
  /** @type {State} */
  state = 'stopped';

  /** @type {WebSocket | null} */ #socket = null;
  /** Until the next attempt. @type {ReturnType<typeof setTimeout> | undefined} */ #retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #stableTimer;
  #attempt = 0;
  /** A 1001 asked not to reconnect before this, epoch ms. */ #notBefore = 0;
  #nextAckId = 1;
  /**
   * Requests without an ack yet.
   * @type {Map<number, {resolve: (payload: any) => void, reject: (error: Error) => void, timer: ReturnType<typeof setTimeout>}>}
   */
  #pending = new Map();
  #server; #token;
  /** Aborted on close. @type {AbortController | null} */ #opened = null;

  /**
   * @param {{server?: string, token?: string | null, after?: number | null}} [options]
   * `server`: an origin; `token`: sent as a subprotocol (browsers cannot set headers), else the cookie counts
   */
  constructor({ server = location.origin, token = null, after = null } = {}) {
    super();
    this.#server = server;
    this.#token = token;
    this.lastId = after;
  }

  open() {
    if (this.#opened) return;
    this.#opened = new AbortController();
    const { signal } = this.#opened;
    addEventListener('online', () => this.#retrySoon(), { signal });
    addEventListener('offline', () => this.#pauseOffline(), { signal });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#retrySoon();
    }, { signal });
    // An open socket keeps a page out of the back/forward cache.
    addEventListener('pagehide', () => {
      this.#drop();
      if (this.state !== 'stopped') this.#setState('waiting');
    }, { signal });
    addEventListener('pageshow', (event) => { if (event.persisted) this.#retrySoon(); }, { signal });
    this.#attempt = 0;
    this.#connect();
  }

  close() {
    this.#opened?.abort();
    this.#opened = null;
    this.#drop();
    this.#setState('stopped');
  }

  /**
   * Sends if open. What must not be lost is sent over HTTP instead.
   * @param {string} type
   * @param {unknown} payload
   * @returns {boolean} whether it was sent
   */
  send(type, payload) {
    if (this.state !== 'open') return false;
    this.#socket?.send(JSON.stringify({ type, payload }));
    return true;
  }

  /**
   * Sends and waits for the ack.
   * @param {string} type
   * @param {unknown} payload
   * @returns {Promise<any>} the ack's payload
   */
  request(type, payload) {
    if (this.state !== 'open') return Promise.reject(new Error('not connected'));
    const id = this.#nextAckId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(id), ACK_TIMEOUT_MS);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket?.send(JSON.stringify({ type, payload, id }));
    });
  }

  #connect() {
    if (!this.#opened || this.#socket) return;
    this.#clearRetry();
    if (!navigator.onLine) return this.#setState('waiting');
    const url = new URL('/ws', this.#server);
    url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
    if (this.lastId !== null) url.searchParams.set('after', String(this.lastId));
    this.#setState('connecting');
    const protocols = this.#token ? ['shopbell', `bearer.${this.#token}`] : [];
    const socket = new WebSocket(url, protocols);
    this.#socket = socket;
    socket.addEventListener('message', (event) => {
      if (socket === this.#socket && typeof event.data === 'string') this.#onMessage(event.data);
    });
    socket.addEventListener('close', (event) => {
      if (socket === this.#socket) this.#onClose(event.code, event.reason);
    });
  }

  /** @param {string} text */
  #onMessage(text) {
    let frame;
    try { frame = JSON.parse(text); } catch { return; }
    const { type, payload } = frame ?? {};
    if (typeof type !== 'string') return;
    if (type === 'hello') this.#onHello(payload);
    if (type === 'ack') return this.#take(frame.id)?.resolve(payload);
    // BUY_GOODS and BUY_CANCELED carry rising offsets; a repeat is dropped.
    if (type.startsWith('BUY_') && Number.isInteger(payload?.id)) {
      if (this.lastId !== null && payload.id <= this.lastId) return;
      this.lastId = payload.id;
    }
    this.dispatchEvent(new CustomEvent(type, { detail: payload }));
  }

  /** @param {Hello} hello */
  #onHello(hello) {
    this.hello = hello;
    const latest = Number(hello?.latest ?? 0);
    // A latest offset below ours means another database, whose numbering counts from now on.
    if (this.lastId === null || latest < this.lastId) this.lastId = latest;
    this.#stableTimer = setTimeout(() => { this.#attempt = 0; }, STABLE_AFTER_MS);
    this.#setState('open');
  }

  /**
   * Takes a request that has ended out of the pending ones.
   * @param {number} id
   */
  #take(id) {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(request?.timer);
    return request;
  }

  /** @param {number} id */
  #fail(id) { this.#take(id)?.reject(new Error('no answer')); }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #onClose(code, reason) {
    this.#forgetSocket();
    const delay = delayAfterClose(code, reason, this.#attempt);
    if (delay === null) return this.#setState('stopped', code);
    this.#notBefore = code === CLOSE.goingAway ? Date.now() + delay : 0;
    this.#attempt += 1;
    this.#setState('waiting', code);
    if (navigator.onLine) this.#retryAfter(delay);
  }

  /** @param {number} ms */
  #retryAfter(ms) {
    this.#clearRetry();
    this.#retryTimer = setTimeout(() => this.#connect(), ms);
  }

  /**
   * Cuts a backoff short when the network or the reader is back. A delay that the server named is kept,
   * and so is a little jitter: a network comes back for many clients at once.
   */
  #retrySoon() {
    if (this.state !== 'waiting') return;
    this.#retryAfter(Math.max(Math.random() * FIRST_DELAY_MS, this.#notBefore - Date.now()));
  }

  #pauseOffline() {
    this.#clearRetry();
    if (this.state === 'connecting') this.#drop();
    if (this.state !== 'open' && this.state !== 'stopped') this.#setState('waiting');
  }

  #drop() {
    const socket = this.#socket;
    this.#forgetSocket();
    this.#clearRetry();
    socket?.close(1000);
  }

  #forgetSocket() {
    this.#socket = null;
    clearTimeout(this.#stableTimer);
    for (const id of [...this.#pending.keys()]) this.#fail(id);
  }

  #clearRetry() { clearTimeout(this.#retryTimer); }

  /**
   * @param {State} state
   * @param {number} [code] the close code that led to it
   */
  #setState(state, code) {
    this.state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, code } }));
  }
}
