// @ts-check
/**
 * One reconnecting WebSocket to `/ws` (docs/contract.md §3b) as an EventTarget.
 * For: the storefront (js/realtime.js), the toast widget and the client module (shopbell.js).
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
 *
 * @typedef {object} ConnectionOptions
 * @property {string} [server] an origin; the page's by default
 * @property {string | null} [token] sent as a subprotocol, because browsers cannot set headers; without it the cookie counts
 * @property {string | null} [key] a listen key, which alone decides
 * @property {number | null} [after] where an earlier connection stopped
 * @property {string | null} [epoch] the log that `after` is an offset of
 * @property {number | null} [digest] alerts a second beyond which they are told as one `BUY_DIGEST`
 */

import { CLOSE, FIRST_DELAY_MS, MAX_DELAY_MS, NEVER_HEARD_MAX_MS, delayAfterClose } from './backoff.js';
import { listen } from './listen.js';

/** A connection that lasted this long was stable: the next backoff starts again from the first delay. */
const STABLE_AFTER_MS = 10_000;
/** From the first packet to `hello`: a path that swallows bytes would keep a handshake waiting for minutes. */
const HANDSHAKE_TIMEOUT_MS = 15_000;
/** Heartbeats without a frame after which the path counts as dead. */
const SILENT_HEARTBEATS = 2.5;
/** A timer that is this late was held up with the whole page, which may have frames waiting that it has not read. */
const LATE_MS = 1_000;

export class Connection extends EventTarget {
  /** Of the current or the last connection. @type {Hello | null} */
  hello = null;
  /** @type {State} */
  state = 'stopped';
  /** For those that build on this. @protected @type {WebSocket | null} */
  socket = null;

  /** Until the next attempt. @type {ReturnType<typeof setTimeout> | undefined} */ #retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #stableTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #silenceTimer;
  /** When the last frame came, by the monotonic clock. */ #heardAt = 0;
  /** The server's clock less the monotonic one, ms; NaN until it has told. */ #clockOffset = NaN;
  #attempt = 0;
  /** A 1001 asked not to reconnect before this, by the monotonic clock. */ #notBefore = 0;
  #options;
  /** Aborted on close. @type {AbortController | null} */ #opened = null;

  /** @param {ConnectionOptions} [options] */
  constructor(options = {}) {
    super();
    this.#options = options;
    /** The newest offset seen, from which a reconnect resumes. @type {number | null} */
    this.lastId = options.after ?? null;
    /** The log that `lastId` is an offset of. @type {string | null} */
    this.epoch = options.epoch ?? null;
  }

  open() {
    if (this.#opened) return;
    this.#opened = new AbortController();
    const { signal } = this.#opened;
    listen(globalThis, signal, {
      online: () => this.#retrySoon(),
      // An open socket keeps a page out of the back/forward cache.
      pagehide: () => {
        this.#drop();
        if (this.state !== 'stopped') this.#setState('waiting');
      },
      pageshow: (event) => { if (event.persisted) this.#retrySoon(); },
    });
    listen(document, signal, { visibilitychange: () => { if (!document.hidden) this.#retrySoon(); } });
    this.#attempt = 0;
    this.#connect();
  }

  /** @param {number} [code] what the server has ended it with, for good: only `open` opens it again */
  close(code) {
    this.#opened?.abort();
    this.#opened = null;
    this.#drop();
    this.#setState('stopped', code);
  }

  /** The server's clock, epoch ms; the reader's own, which may be wrong by days, until the server has told. */
  now() { return performance.now() + this.#clockOffset || Date.now(); }

  /**
   * Takes in what the server says, from whatever way it came.
   * @param {any} frame
   */
  take({ type, payload }) {
    if (type === 'hello') this.#onHello(payload ?? {});
    // What the log still has may be a whole week: a page goes on with what is new.
    if (type === 'gap') this.lastId = Math.max(this.lastId ?? 0, this.hello?.latest ?? 0);
    // What is in the log carries rising offsets; a repeat is dropped. A digest stands for several.
    const id = payload?.to ?? payload?.id;
    if (type.startsWith('BUY_') && Number.isInteger(id)) {
      if (this.lastId !== null && id <= this.lastId) return;
      this.lastId = id;
    }
    this.dispatchEvent(new CustomEvent(type, { detail: payload }));
  }

  #connect() {
    if (!this.#opened || this.socket) return;
    clearTimeout(this.#retryTimer);
    if (!navigator.onLine) return this.#setState('waiting');
    const { server = location.origin, token, key, digest } = this.#options;
    const url = new URL('/ws', server);
    url.protocol = url.protocol.replace('http', 'ws');
    const resumes = this.lastId !== null;
    for (const [name, value] of Object.entries({ after: this.lastId, epoch: resumes ? this.epoch : null, key, digest })) {
      if (value != null) url.searchParams.set(name, String(value));
    }
    this.#setState('connecting');
    const socket = new WebSocket(url, token && !key ? ['shopbell', `bearer.${token}`] : []);
    this.socket = socket;
    this.#silenceTimer = setTimeout(() => this.#giveUp(), HANDSHAKE_TIMEOUT_MS);
    listen(socket, undefined, {
      message: ({ data }) => { if (socket === this.socket) this.#onMessage(data); },
      close: ({ code, reason }) => { if (socket === this.socket) this.#onClose(code, reason); },
    });
  }

  /** @param {string} text */
  #onMessage(text) {
    let frame;
    try { frame = JSON.parse(text); } catch { return; }
    if (typeof frame?.type !== 'string') return;
    this.#heardAt = performance.now();
    if (frame.type === 'alive') return;
    this.take(frame);
    // Who heard it may have closed this.
    if (frame.type !== 'hello' || this.state !== 'open') return;
    this.#watchForSilence(this.hello?.heartbeat ?? 0);
    this.#stableTimer = setTimeout(() => { this.#attempt = 0; }, STABLE_AFTER_MS);
  }

  /** @param {Hello} hello */
  #onHello(hello) {
    this.hello = hello;
    const { latest = 0, epoch = null, time = '' } = hello;
    // Another database, by its name or because its log is shorter: its numbering counts from now on.
    const another = this.epoch && epoch && epoch !== this.epoch;
    if (this.lastId === null || another || latest < this.lastId) this.lastId = latest;
    this.epoch = epoch;
    this.#clockOffset = Date.parse(time) - performance.now();
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
    const socket = this.socket;
    this.#onClose(0, '');
    socket?.close();
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #onClose(code, reason) {
    this.#forgetSocket();
    const most = this.#options.key && !this.hello ? NEVER_HEARD_MAX_MS : MAX_DELAY_MS;
    const delay = delayAfterClose(code, reason, this.#attempt, Math.random, most);
    if (delay === null) return this.close(code);
    this.#notBefore = code === CLOSE.goingAway ? performance.now() + delay : 0;
    this.#attempt += 1;
    this.#setState('waiting', code);
    this.#retryAfter(delay);
  }

  /** @param {number} ms */
  #retryAfter(ms) {
    clearTimeout(this.#retryTimer);
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

  #drop() {
    const socket = this.socket;
    this.#forgetSocket();
    clearTimeout(this.#retryTimer);
    socket?.close(1000);
  }

  #forgetSocket() {
    this.socket = null;
    clearTimeout(this.#stableTimer);
    clearTimeout(this.#silenceTimer);
  }

  /**
   * @param {State} state
   * @param {number} [code] the close code that led to it
   */
  #setState(state, code) {
    this.state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, code } }));
  }
}
