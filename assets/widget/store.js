// @ts-check
/**
 * Which purchase alerts are shown, which wait, and for how long: queue, folding, timing.
 * Not for: drawing them (element.js), wording (messages.js) or receiving them (../client).
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
 * @property {number} [count] how many orders it stands for
 * @property {number} [buyers] how many people they are of
 * @property {string} [text] what a page says by itself, instead of all this
 *
 * @typedef {object} Entry one toast, shown or waiting
 * @property {string} key
 * @property {boolean} own whether the reader placed the order
 * @property {boolean} [away] it is what the reader has missed, and not worth more than a number
 * @property {Order[]} orders one, or several when folded (newest first)
 * @property {number} at when the newest order was placed, epoch ms
 * @property {number} remaining for how long it is still to be shown, ms
 * @property {number} startedAt when its timer was started last
 * @property {ReturnType<typeof setTimeout> | null} timer null while it waits or is paused
 *
 * @typedef {'hover' | 'focus' | 'hidden' | 'blur' | 'modal' | 'swipe' | 'missed' | 'page'} PauseReason
 */

/** More waiting entries than this become one: nobody reads a queue of a minute. */
export const FOLD_OVER = 5;
export const MIN_DURATION_MS = 5_000;
const DEFAULT_DURATION_MS = 6_000;
/** A resumed toast stays at least this long: it must not vanish at the moment the pointer leaves it. */
const MIN_REMAINING_MS = 1_000;
/** How many orders a folded entry keeps, so that a burst cannot fill the memory. */
const MAX_FOLDED = 2_000;
const MAX_SEEN = 4_000;
/** While one of these lasts, nothing new appears: it would not be seen, or is still being collected. */
const HOLDING = ['hidden', 'modal', 'missed', 'page'];

export class ToastStore extends EventTarget {
  /** @type {Entry[]} */ visible = [];
  /** @type {Entry[]} */ queue = [];
  /** How many entries are visible at once. */ max = 3;
  /** Between the beginnings of two toasts, ms. */ gap = 0;
  /** Nothing of others appears before this, epoch ms. */ #notBefore = 0;
  #duration = DEFAULT_DURATION_MS;
  /** Timers run while this is empty. @type {Set<PauseReason>} */ #paused = new Set();
  /** Offsets that were added or canceled. @type {Set<number>} */ #seen = new Set();
  /** Until the gap is over. @type {ReturnType<typeof setTimeout> | undefined} */ #gapTimer;

  /** How long a toast is shown, ms; at least MIN_DURATION_MS. */
  get duration() { return this.#duration; }

  set duration(ms) { this.#duration = Math.max(MIN_DURATION_MS, ms || DEFAULT_DURATION_MS); }

  /** Lets nothing of others appear before a time, nor before one that was given earlier. @param {number} at epoch ms */
  waitUntil(at) { this.#notBefore = Math.max(this.#notBefore, at); }

  /**
   * Shows or queues an alert. An offset that was seen before is ignored.
   * @param {Order} order
   * @param {boolean} [own] whether the reader placed it
   */
  add(order, own = false) {
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
    this.#stopAll((entry) => entry.key === key);
    this.visible = this.visible.filter((entry) => entry.key !== key);
    this.#fill();
    this.#changed();
  }

  /**
   * Stops all timers until each reason given was resumed.
   * @param {PauseReason} reason
   */
  pause(reason) {
    if (this.#paused.size === 0) this.#stopAll();
    this.#paused.add(reason);
  }

  /** @param {PauseReason} reason */
  resume(reason) {
    if (!this.#paused.delete(reason)) return;
    this.visible.forEach((entry) => this.#start(entry));
    this.#fill();
  }

  /** Removes all entries and all reasons to pause. */
  clear() {
    this.#stopAll();
    clearTimeout(this.#gapTimer);
    this.visible = [];
    this.queue = [];
    this.#paused.clear();
    this.#changed();
  }

  /** Removes what others have ordered and nobody has seen yet. */
  clearQueue() { this.queue = this.queue.filter(({ own }) => own); }

  get #held() { return HOLDING.some((reason) => this.#paused.has(/** @type {PauseReason} */ (reason))); }

  /**
   * @param {Order[]} orders
   * @param {boolean} own
   * @returns {Entry}
   */
  #entry(orders, own) {
    const [{ id, at }] = orders;
    return { key: String(id), own, orders, at, away: false, remaining: this.#duration, startedAt: 0, timer: null };
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
    fold.key = folded?.key ?? `fold-${fold.key}`;
    fold.away = folded?.away || this.#held;
    this.clearQueue();
    this.queue.push(fold);
  }

  /** Shows what there is room for. */
  #fill() {
    let added = false;
    while (!this.#held && this.visible.length < this.max) {
      const [entry] = this.queue;
      if (!entry) break;
      const wait = this.#notBefore - Date.now();
      if (!entry.own && wait > 0) {
        clearTimeout(this.#gapTimer);
        this.#gapTimer = setTimeout(() => this.#fill(), wait);
        break;
      }
      this.queue.shift();
      this.waitUntil(Date.now() + this.gap);
      this.visible.push(entry);
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
      if (!left.length) {
        this.#stopAll((one) => one === entry);
        return false;
      }
      entry.orders = left;
      entry.at = left[0].at;
      return true;
    });
  }

  /** @param {Entry} entry */
  #start(entry) {
    if (this.#paused.size > 0 || entry.timer !== null) return;
    entry.startedAt = Date.now();
    entry.timer = setTimeout(() => this.dismiss(entry.key), entry.remaining);
  }

  /** @param {(entry: Entry) => boolean} [which] */
  #stopAll(which = () => true) {
    for (const entry of this.visible.filter(which)) {
      if (entry.timer === null) continue;
      clearTimeout(entry.timer);
      entry.timer = null;
      entry.remaining = Math.max(MIN_REMAINING_MS, entry.remaining - (Date.now() - entry.startedAt));
    }
  }

  /** @param {number} id */
  #remember(id) {
    this.#seen.add(id);
    const [oldest] = this.#seen;
    if (this.#seen.size > MAX_SEEN) this.#seen.delete(oldest);
  }

  #changed() { this.dispatchEvent(new Event('change')); }
}
