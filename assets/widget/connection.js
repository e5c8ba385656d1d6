/**
 * One reconnecting WebSocket to `/ws` (docs/contract.md §3b) as an EventTarget.
 * For: the storefront (js/realtime.js) and the toast widget when it stands alone.
 * Not for: deciding what an event means to a page, or who is logged in.
 *
 * Silence: a path may die without a word. After `hello` has named a heartbeat, a socket that is quiet for longer is given up.
 * Time: `now()` is the server's clock, as `hello` told it.
 *
 * Events: every server frame as a CustomEvent named by its `type`, `detail` = payload;
 * and `state`, detail `{state, code}`; state is connecting | open | waiting | stopped.
 */

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** A connection that lives this long was a good one: the next backoff starts anew. */
const STABLE_AFTER_MS = 10_000;
const ACK_TIMEOUT_MS = 15_000;
/** From the first packet to `hello`; a path that swallows bytes would keep a handshake waiting for minutes. */
const HANDSHAKE_MS = 15_000;
/** Heartbeats without a frame after which the path counts as dead. The server says something at least every one. */
const SILENT_HEARTBEATS = 2.5;
/** A timer that is this late was held up with the whole page, which may have frames waiting that it has not read. */
const LATE_MS = 1_000;

/** Close codes of the contract that change what happens next. */
const CLOSE = { goingAway: 1001, policy: 1008, sessionEnded: 4001, tooSlow: 4008 };

/**
 * Exponential backoff with full jitter: anything between 0 and the cap, so that a
 * restarted server isn't met by all of its clients at once.
 * @param {number} attempt 0 for the first retry
 * @param {() => number} [random]
 * @returns {number} milliseconds
 */
export function backoff(attempt, random = Math.random) {
  return random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
}

/**
 * How long to wait before the next try, or null for never.
 * @param {number} code close code
 * @param {string} reason a 1001's reason names the delay in milliseconds, bare or in JSON
 * @param {number} attempt
 * @returns {number | null}
 */
export function delayAfterClose(code, reason, attempt) {
  if (code === CLOSE.sessionEnded || code === CLOSE.policy) return null;
  if (code === CLOSE.tooSlow) return 0;
  const named = code === CLOSE.goingAway ? /\d+/.exec(reason ?? '') : null;
  // A second going-away without a stable connection in between: don't trust the delay alone.
  if (named) return Math.min(Number(named[0]), MAX_DELAY_MS) + (attempt > 0 ? backoff(attempt) : 0);
  return backoff(attempt);
}

export class Connection extends EventTarget {
  /** @type {{session: string, user: {nickname: string} | null, latest: number, time?: string, heartbeat?: number, epoch?: string} | null} */
  hello = null;
  /** The newest offset seen; what a reconnect resumes from. @type {number | null} */
  lastId = null;
  /** The log that `lastId` counts in, an opaque name. @type {string | null} */
  epoch = null;
  state = 'stopped';

  /** @type {WebSocket | null} */ #socket = null;
  /** @type {ReturnType<typeof setTimeout> | null} */ #timer = null;
  /** @type {ReturnType<typeof setTimeout> | null} */ #stable = null;
  /** @type {ReturnType<typeof setTimeout> | null} */ #silence = null;
  #heardAt = 0;
  /** The server's clock less the page's monotonic one (ms). @type {number | null} */ #ahead = null;
  #attempt = 0;
  /** Until when a 1001 asked us to stay away, by the page's monotonic clock. */ #notBefore = 0;
  #nextAckId = 1;
  /** @type {Map<number, {resolve: Function, reject: Function, timer: any}>} */ #waiting = new Map();
  #server; #token;
  /** @type {AbortController | null} */ #listening = null;

  /**
   * @param {{server?: string, token?: string | null, after?: number | null, epoch?: string | null}} [options]
   * `server`: an origin; `token`: sent as a subprotocol (browsers cannot set headers), else the cookie counts
   *   `after`, `epoch`: where an earlier connection stopped
   */
  constructor({ server = location.origin, token = null, after = null, epoch = null } = {}) {
    super();
    this.#server = server;
    this.#token = token;
    this.lastId = after;
    this.epoch = epoch;
  }

  open() {
    if (this.#listening) return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    addEventListener('online', () => this.#retryNow(), { signal });
    addEventListener('offline', () => this.#pauseOffline(), { signal });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#retryNow();
    }, { signal });
    // An open socket keeps a page out of the back/forward cache.
    addEventListener('pagehide', () => {
      this.#drop();
      if (this.state !== 'stopped') this.#setState('waiting');
    }, { signal });
    addEventListener('pageshow', (event) => { if (event.persisted) this.#retryNow(); }, { signal });
    this.#attempt = 0;
    this.#connect();
  }

  close() {
    this.#listening?.abort();
    this.#listening = null;
    this.#drop();
    this.#setState('stopped');
  }

  /** The time by the server's clock, epoch ms; by the page's own until the server has told. A reader's clock may be wrong by days. */
  now() { return this.#ahead === null ? Date.now() : performance.now() + this.#ahead; }

  /** Sends if open; a message that must not be lost belongs in HTTP. @returns {boolean} */
  send(/** @type {string} */ type, /** @type {unknown} */ payload) {
    if (this.state !== 'open') return false;
    this.#socket?.send(JSON.stringify({ type, payload }));
    return true;
  }

  /**
   * Sends and waits for the acknowledgement.
   * @param {string} type @param {unknown} payload
   * @returns {Promise<any>} the ack's payload
   */
  request(type, payload) {
    if (this.state !== 'open') return Promise.reject(new Error('not connected'));
    const id = this.#nextAckId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, null), ACK_TIMEOUT_MS);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#socket?.send(JSON.stringify({ type, payload, id }));
    });
  }

  #connect() {
    if (!this.#listening || this.#socket) return;
    this.#clearTimer();
    if (!navigator.onLine) return this.#setState('waiting');
    const url = new URL('/ws', this.#server);
    url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
    if (this.lastId !== null) url.searchParams.set('after', String(this.lastId));
    if (this.lastId !== null && this.epoch) url.searchParams.set('epoch', this.epoch);
    this.#setState('connecting');
    const protocols = this.#token ? ['shopbell', `bearer.${this.#token}`] : [];
    const socket = new WebSocket(url, protocols);
    this.#socket = socket;
    this.#silence = setTimeout(() => this.#giveUp(), HANDSHAKE_MS);
    socket.addEventListener('message', (event) => {
      if (socket === this.#socket && typeof event.data === 'string') this.#receive(event.data);
    });
    socket.addEventListener('close', (event) => {
      if (socket === this.#socket) this.#closed(event.code, event.reason);
    });
  }

  /** @param {string} text */
  #receive(text) {
    let frame;
    try { frame = JSON.parse(text); } catch { return; }
    const { type, payload } = frame ?? {};
    if (typeof type !== 'string') return;
    this.#heardAt = performance.now();
    if (type === 'alive') return;
    if (type === 'hello') this.#welcome(payload);
    // What the log still has since then may be a whole week: a page starts with what is new.
    if (type === 'gap') this.lastId = Math.max(this.lastId ?? 0, Number(this.hello?.latest ?? 0));
    if (type === 'ack') return this.#settle(frame.id, payload);
    // BUY_GOODS and BUY_CANCELED carry offsets in rising order; a repeat is never passed on.
    if (type.startsWith('BUY_') && Number.isInteger(payload?.id)) {
      if (this.lastId !== null && payload.id <= this.lastId) return;
      this.lastId = payload.id;
    }
    this.dispatchEvent(new CustomEvent(type, { detail: payload }));
  }

  #welcome(hello) {
    this.hello = hello;
    const latest = Number(hello?.latest ?? 0);
    // Another database now, by name or because its log is shorter: its numbering is the one that counts.
    const epoch = typeof hello?.epoch === 'string' ? hello.epoch : null;
    const another = this.epoch !== null && epoch !== null && epoch !== this.epoch;
    if (this.lastId === null || another || latest < this.lastId) this.lastId = latest;
    this.epoch = epoch;
    const time = Date.parse(hello?.time);
    this.#ahead = Number.isFinite(time) ? time - performance.now() : null;
    this.#listenForSilence(Number(hello?.heartbeat));
    this.#stable = setTimeout(() => { this.#attempt = 0; }, STABLE_AFTER_MS);
    this.#setState('open');
  }

  /** One timer for many frames: when it rings it looks when the last one came. @param {number} heartbeat ms */
  #listenForSilence(heartbeat) {
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#silence = null;
    if (!(heartbeat > 0)) return;
    const limit = heartbeat * SILENT_HEARTBEATS;
    const wait = (/** @type {number} */ ms) => {
      const due = performance.now() + ms;
      this.#silence = setTimeout(() => {
        const now = performance.now();
        const left = this.#heardAt + limit - now;
        if (left > 0) wait(left);
        else if (now - due > LATE_MS) wait(heartbeat);
        else this.#giveUp();
      }, ms);
    };
    wait(limit);
  }

  /** Nothing will come on this socket any more; its own close would wait for an answer of the dead path. */
  #giveUp() {
    const socket = this.#socket;
    this.#closed(0, '');
    socket?.close();
  }

  #settle(id, payload) {
    const waiter = this.#waiting.get(id);
    if (!waiter) return;
    this.#waiting.delete(id);
    clearTimeout(waiter.timer);
    if (payload === null) waiter.reject(new Error('no answer'));
    else waiter.resolve(payload);
  }

  #closed(code, reason) {
    this.#forgetSocket();
    const delay = delayAfterClose(code, reason, this.#attempt);
    if (delay === null) return this.#setState('stopped', code);
    // 4008 resumes at once, but a second one without a stable stretch between backs off as others do.
    const wait = delay === 0 && this.#attempt > 0 ? backoff(this.#attempt) : delay;
    this.#notBefore = code === CLOSE.goingAway ? performance.now() + wait : 0;
    this.#attempt += 1;
    this.#setState('waiting', code);
    if (navigator.onLine) this.#timer = setTimeout(() => this.#connect(), wait);
  }

  /**
   * The network or the reader is back: no need to sit out a long backoff. A delay that the
   * server named is kept, and a little jitter too: a network returns to many at once.
   */
  #retryNow() {
    if (this.state !== 'waiting') return;
    this.#clearTimer();
    this.#timer = setTimeout(() => this.#connect(), Math.max(Math.random() * FIRST_DELAY_MS, this.#notBefore - performance.now()));
  }

  #pauseOffline() {
    this.#clearTimer();
    if (this.state === 'connecting') this.#drop();
    if (this.state !== 'open' && this.state !== 'stopped') this.#setState('waiting');
  }

  #drop() {
    const socket = this.#socket;
    this.#forgetSocket();
    this.#clearTimer();
    socket?.close(1000);
  }

  #forgetSocket() {
    this.#socket = null;
    if (this.#stable !== null) clearTimeout(this.#stable);
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#silence = null;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, null);
  }

  #clearTimer() {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #setState(state, code) {
    this.state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, code } }));
  }
}
