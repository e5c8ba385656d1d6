// @ts-check
/**
 * Which purchase alerts are shown, which wait, and for how long: queue, folding, timing.
 * Not for: drawing them (element.js), wording (messages.js) or receiving them (connection.js).
 *
 * Fires `change` when the list of visible entries differs from before.
 *
 * @typedef {object} Order what an alert says
 * @property {number} id its offset in the server's log
 * @property {string} nickname
 * @property {number} goodsId
 * @property {string} goodsName the first goods of the order
 * @property {number} otherGoods how many other goods are in the order
 * @property {number} at when it was ordered, epoch ms
 * @property {boolean} [anonymous] the name is nobody's
 * @property {string | null} [goodsUrl] the page of the goods, http(s)
 * @property {string | null} [pictureUrl] their picture, http(s)
 *
 * @typedef {object} Entry one toast, shown or waiting
 * @property {string} key
 * @property {boolean} own whether the reader placed the order
 * @property {Order[]} orders one, or several when folded (newest first)
 * @property {number} at when the newest order was placed, epoch ms
 * @property {number} remaining for how long it is still to be shown, ms
 * @property {number} startedAt when its timer was started last
 * @property {ReturnType<typeof setTimeout> | null} timer null while it waits or is paused
 *
 * @typedef {'hover' | 'focus' | 'hidden' | 'blur' | 'modal' | 'swipe'} PauseReason
 */

/** More waiting entries than this become one: nobody reads a queue of a minute. */
export const FOLD_OVER = 6;
export const MIN_DURATION_MS = 5_000;
const DEFAULT_DURATION_MS = 6_000;
/** A resumed toast stays at least this long: it must not vanish at the moment the pointer leaves it. */
const MIN_REMAINING_MS = 1_000;
/** How many orders a folded entry keeps, so that a burst cannot fill the memory. */
const MAX_FOLDED = 2_000;
const MAX_SEEN = 4_000;

export class ToastStore extends EventTarget {
  /** @type {Entry[]} */ visible = [];
  /** @type {Entry[]} */ queue = [];
  /** How many entries are visible at once. */
  max = 3;
  #duration = DEFAULT_DURATION_MS;
  /** Timers run while this is empty. @type {Set<PauseReason>} */
  #paused = new Set();
  /** Offsets that were added or canceled. @type {Set<number>} */
  #seen = new Set();
  #now;

  /** @param {() => number} [now] the clock, epoch ms */
  constructor(now = Date.now) {
    super();
    this.#now = now;
  }

  /** How long a toast is shown, ms; at least MIN_DURATION_MS. */
  get duration() { return this.#duration; }

  set duration(ms) { this.#duration = Math.max(MIN_DURATION_MS, Number(ms) || DEFAULT_DURATION_MS); }

  /**
   * Shows or queues an alert. An offset that was seen before is ignored.
   * @param {Order} order
   * @param {boolean} own whether the reader placed it
   */
  add(order, own) {
    if (this.#seen.has(order.id)) return;
    this.#remember(order.id);
    const entry = this.#entry([order], own);
    // The reader's own confirmation goes ahead of other people's orders.
    if (own) this.queue.unshift(entry);
    else this.#enqueue(entry);
    this.#fill();
  }

  /**
   * Makes a toast the reader's own: that became known after the alert.
   * @param {number} id
   */
  claim(id) {
    const entry = [...this.visible, ...this.queue]
      .find(({ own, orders }) => !own && orders.length === 1 && orders[0].id === id);
    if (!entry) return;
    entry.own = true;
    this.#changed();
  }

  /**
   * Removes a canceled order wherever it is; one that was not added yet never will be.
   * @param {number} id
   */
  cancel(id) {
    this.#remember(id);
    this.queue = this.#without(this.queue, id);
    this.visible = this.#without(this.visible, id);
    this.#fill();
    this.#changed();
  }

  /** @param {string} key */
  dismiss(key) {
    const entry = this.visible.find((candidate) => candidate.key === key);
    if (!entry) return;
    this.#stop(entry);
    this.visible = this.visible.filter((candidate) => candidate !== entry);
    this.#fill();
    this.#changed();
  }

  /**
   * Stops all timers until each reason given was resumed.
   * @param {PauseReason} reason
   */
  pause(reason) {
    if (this.#paused.size === 0) this.visible.forEach((entry) => this.#stop(entry));
    this.#paused.add(reason);
  }

  /** @param {PauseReason} reason */
  resume(reason) {
    if (!this.#paused.delete(reason) || this.#paused.size > 0) return;
    this.visible.forEach((entry) => this.#start(entry));
    this.#fill();
  }

  /** Removes all entries and all reasons to pause. */
  clear() {
    this.visible.forEach((entry) => this.#stop(entry));
    this.visible = [];
    this.queue = [];
    this.#paused.clear();
    this.#changed();
  }

  /**
   * @param {Order[]} orders
   * @param {boolean} own
   * @returns {Entry}
   */
  #entry(orders, own) {
    return {
      key: String(orders[0].id), own, orders, at: orders[0].at,
      remaining: this.#duration, startedAt: 0, timer: null,
    };
  }

  /**
   * Appends other people's order; folds all that wait into one entry when there are too many.
   * @param {Entry} entry
   */
  #enqueue(entry) {
    this.queue.push(entry);
    const waiting = this.queue.filter(({ own }) => !own);
    const folded = waiting.find(({ orders }) => orders.length > 1);
    if (!folded && waiting.length <= FOLD_OVER) return;
    const orders = waiting.flatMap((one) => one.orders).sort((a, b) => b.id - a.id).slice(0, MAX_FOLDED);
    const fold = this.#entry(orders, false);
    fold.key = folded?.key ?? `fold-${orders[0].id}`;
    this.queue = [...this.queue.filter(({ own }) => own), fold];
  }

  /** Shows what there is room for. While a modal dialog is open, nothing new appears. */
  #fill() {
    if (this.#paused.has('modal')) return;
    let added = false;
    while (this.visible.length < this.max) {
      const entry = this.queue.shift();
      if (!entry) break;
      this.visible = [...this.visible, entry];
      this.#start(entry);
      added = true;
    }
    if (added) this.#changed();
  }

  /**
   * @param {Entry[]} list
   * @param {number} id of an order
   * @returns {Entry[]} the list without the order; an entry that held only this order goes
   */
  #without(list, id) {
    return list.filter((entry) => {
      const left = entry.orders.filter((order) => order.id !== id);
      if (left.length === entry.orders.length) return true;
      entry.orders = left;
      if (left.length) entry.at = left[0].at;
      else this.#stop(entry);
      return left.length > 0;
    });
  }

  /** @param {Entry} entry */
  #start(entry) {
    if (this.#paused.size > 0 || entry.timer !== null) return;
    entry.startedAt = this.#now();
    entry.timer = setTimeout(() => this.dismiss(entry.key), entry.remaining);
  }

  /** @param {Entry} entry */
  #stop(entry) {
    if (entry.timer === null) return;
    clearTimeout(entry.timer);
    entry.timer = null;
    entry.remaining = Math.max(MIN_REMAINING_MS, entry.remaining - (this.#now() - entry.startedAt));
  }

  /** @param {number} id */
  #remember(id) {
    this.#seen.add(id);
    if (this.#seen.size <= MAX_SEEN) return;
    const [oldest] = this.#seen;
    this.#seen.delete(oldest);
  }

  #changed() { this.dispatchEvent(new Event('change')); }
}
