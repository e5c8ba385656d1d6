// @ts-check
/**
 * One reconnecting WebSocket to `/ws` (docs/contract.md §3b) as an EventTarget.
 * For: the storefront (js/realtime.js) and the toast widget when it stands alone.
 * Not for: deciding what an event means to a page, or who is logged in.
 *
 * Silence: a path may die without a word. After `hello` has named a heartbeat, a socket that is quiet for longer is given up.
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
 * @property {string} [epoch] the log's name: offsets of another one mean nothing
 * @property {string} [time] the server's clock, RFC 3339
 * @property {number} [heartbeat] the server says something at least this often, ms
 *
 * @typedef {object} Alert payload of `BUY_GOODS`
 * @property {number} id its offset in the log
 * @property {string} nickname
 * @property {number} goodsId
 * @property {string} goodsName
 * @property {string} [firstGoodsName]
 * @property {number} [otherGoods]
 * @property {string} date RFC 3339
 * @property {string} [orderedAt] when it was ordered, where that was not at `date`
 * @property {boolean} [anonymous] the name is nobody's
 * @property {string} [goodsUrl] the page of the goods
 * @property {string} [thumbnailUrl] their picture
 */

import { CLOSE, FIRST_DELAY_MS, NEVER_HEARD_MAX_MS, delayAfterClose } from './backoff.js';

/** A connection that lasted this long was stable: the next backoff starts again from the first delay. */
const STABLE_AFTER_MS = 10_000;
const ACK_TIMEOUT_MS = 15_000;
/** From the first packet to `hello`: a path that swallows bytes would keep a handshake waiting for minutes. */
const HANDSHAKE_TIMEOUT_MS = 15_000;
/** Heartbeats without a frame after which the path counts as dead. */
const SILENT_HEARTBEATS = 2.5;
/** A timer that is this late was held up with the whole page, which may have frames waiting that it has not read. */
const LATE_MS = 1_000;

export class Connection extends EventTarget {
  /** Of the current or the last connection. @type {Hello | null} */
  hello = null;
  /** The newest offset seen, from which a reconnect resumes. @type {number | null} */
  lastId = null;
  /** The log that `lastId` is an offset of. @type {string | null} */
  epoch = null;
  /** @type {State} */
  state = 'stopped';

  /** @type {WebSocket | null} */ #socket = null;
  /** Until the next attempt. @type {ReturnType<typeof setTimeout> | undefined} */ #retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #stableTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #silenceTimer;
  /** When the last frame came, by the monotonic clock. */ #heardAt = 0;
  /** The server's clock less the monotonic one, ms. @type {number | null} */ #clockOffset = null;
  #attempt = 0;
  /** A 1001 asked not to reconnect before this, by the monotonic clock. */ #notBefore = 0;
  #nextAckId = 1;
  /**
   * Requests without an ack yet.
   * @type {Map<number, {resolve: (payload: any) => void, reject: (error: Error) => void, timer: ReturnType<typeof setTimeout>}>}
   */
  #pending = new Map();
  #server; #token; #key;
  /** Aborted on close. @type {AbortController | null} */ #opened = null;

  /**
   * @param {{server?: string, token?: string | null, key?: string | null, after?: number | null, epoch?: string | null}} [options]
   * `server`: an origin; `key`: a listen key, which alone decides; else `token`: sent as a subprotocol (browsers cannot set
   * headers), else the cookie counts;
   * `after`, `epoch`: where an earlier connection stopped
   */
  constructor({ server = location.origin, token = null, key = null, after = null, epoch = null } = {}) {
    super();
    this.#server = server;
    this.#token = token;
    this.#key = key;
    this.lastId = after;
    this.epoch = epoch;
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

  /** The server's clock, epoch ms; the reader's own, which may be wrong by days, until the server has told. */
  now() { return this.#clockOffset === null ? Date.now() : performance.now() + this.#clockOffset; }

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
    if (this.lastId !== null && this.epoch !== null) url.searchParams.set('epoch', this.epoch);
    if (this.#key !== null) url.searchParams.set('key', this.#key);
    this.#setState('connecting');
    const protocols = this.#key === null && this.#token ? ['shopbell', `bearer.${this.#token}`] : [];
    const socket = new WebSocket(url, protocols);
    this.#socket = socket;
    this.#silenceTimer = setTimeout(() => this.#giveUp(), HANDSHAKE_TIMEOUT_MS);
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
    this.#heardAt = performance.now();
    if (type === 'alive') return;
    if (type === 'hello') this.#onHello(payload);
    // What the log still has may be a whole week: a page goes on with what is new.
    if (type === 'gap') this.lastId = Math.max(this.lastId ?? 0, Number(this.hello?.latest ?? 0));
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
    // Another database, by its name or because its log is shorter: its numbering counts from now on.
    const epoch = typeof hello?.epoch === 'string' ? hello.epoch : null;
    const another = this.epoch !== null && epoch !== null && epoch !== this.epoch;
    if (this.lastId === null || another || latest < this.lastId) this.lastId = latest;
    this.epoch = epoch;
    const time = Date.parse(hello?.time ?? '');
    this.#clockOffset = Number.isFinite(time) ? time - performance.now() : null;
    this.#watchForSilence(Number(hello?.heartbeat));
    this.#stableTimer = setTimeout(() => { this.#attempt = 0; }, STABLE_AFTER_MS);
    this.#setState('open');
  }

  /**
   * One timer for many frames: when it fires, it looks when the last one came.
   * @param {number} heartbeat ms
   */
  #watchForSilence(heartbeat) {
    clearTimeout(this.#silenceTimer);
    if (!(heartbeat > 0)) return;
    const limit = heartbeat * SILENT_HEARTBEATS;
    const wait = (/** @type {number} */ ms) => {
      const due = performance.now() + ms;
      this.#silenceTimer = setTimeout(() => {
        const now = performance.now();
        const left = this.#heardAt + limit - now;
        if (left > 0) wait(left);
        else if (now - due > LATE_MS) wait(heartbeat);
        else this.#giveUp();
      }, ms);
    };
    wait(limit);
  }

  /** Ends a connection on a dead path, whose own close would wait for an answer. */
  #giveUp() {
    const socket = this.#socket;
    this.#onClose(0, '');
    socket?.close();
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
    const most = this.#key !== null && this.hello === null ? NEVER_HEARD_MAX_MS : undefined;
    const delay = delayAfterClose(code, reason, this.#attempt, undefined, most);
    if (delay === null) return this.#setState('stopped', code);
    this.#notBefore = code === CLOSE.goingAway ? performance.now() + delay : 0;
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
    this.#retryAfter(Math.max(Math.random() * FIRST_DELAY_MS, this.#notBefore - performance.now()));
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
    clearTimeout(this.#silenceTimer);
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
