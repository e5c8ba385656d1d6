/**
 * Which purchase alerts are shown, which wait, and for how long: queue, folding, timing.
 * Not for: drawing them (element.js), wording (words.js) or receiving them (connection.js).
 *
 * Fires `change` when the list of visible entries differs from before.
 *
 * @typedef {{id: number, nickname: string, goodsId: number, goodsName: string, otherGoods: number, at: number}} Order
 * @typedef {{key: string, own: boolean, orders: Order[], at: number, remaining: number,
 *   startedAt: number, timer: any}} Entry  `orders`: one, or several when folded (newest first)
 */

/** More waiting than this and they become one toast: nobody reads a queue of a minute. */
export const FOLD_OVER = 6;
export const MIN_DURATION_MS = 5_000;
/** What a fold remembers, so that a storm cannot fill the memory. */
const MAX_FOLDED = 2_000;
const MAX_SEEN = 4_000;

export class ToastStore extends EventTarget {
  /** @type {Entry[]} */ visible = [];
  /** @type {Entry[]} */ queue = [];
  max = 3;
  #duration = 6_000;
  /** Why the clocks stand still: 'hover', 'focus', 'hidden', 'blur', 'modal', 'swipe'. @type {Set<string>} */
  #paused = new Set();
  /** @type {Set<number>} */ #seen = new Set();
  #now;

  /** @param {() => number} [now] milliseconds, for tests */
  constructor(now = Date.now) {
    super();
    this.#now = now;
  }

  set duration(ms) { this.#duration = Math.max(MIN_DURATION_MS, Number(ms) || 6_000); }
  get duration() { return this.#duration; }

  /** @param {Order} order @param {boolean} own whether the reader placed it */
  add(order, own) {
    if (this.#seen.has(order.id)) return;
    this.#remember(order.id);
    const entry = this.#entry([order], own);
    // One's own confirmation doesn't stand in line behind strangers.
    if (own) this.queue.unshift(entry);
    else this.#enqueue(entry);
    this.#fill();
  }

  /** The order behind `id` turns out to be the reader's own: the word came after the alert. */
  claim(/** @type {number} */ id) {
    const entry = [...this.visible, ...this.queue]
      .find(({ own, orders }) => !own && orders.length === 1 && orders[0].id === id);
    if (!entry) return;
    entry.own = true;
    this.#changed();
  }

  /** The order behind `id` was cancelled: it is no longer true, wherever it stands. */
  cancel(/** @type {number} */ id) {
    this.#remember(id);
    const without = (/** @type {Entry[]} */ list) => list.filter((entry) => {
      const left = entry.orders.filter((order) => order.id !== id);
      if (left.length === entry.orders.length) return true;
      entry.orders = left;
      if (left.length) entry.at = left[0].at;
      else this.#stop(entry);
      return left.length > 0;
    });
    this.queue = without(this.queue);
    this.visible = without(this.visible);
    this.#fill();
    this.#changed();
  }

  dismiss(/** @type {string} */ key) {
    const entry = this.visible.find((candidate) => candidate.key === key);
    if (!entry) return;
    this.#stop(entry);
    this.visible = this.visible.filter((candidate) => candidate !== entry);
    this.#fill();
    this.#changed();
  }

  pause(/** @type {string} */ reason) {
    if (this.#paused.size === 0) this.visible.forEach((entry) => this.#stop(entry));
    this.#paused.add(reason);
  }

  resume(/** @type {string} */ reason) {
    if (!this.#paused.delete(reason) || this.#paused.size > 0) return;
    this.visible.forEach((entry) => this.#start(entry));
    this.#fill();
  }

  clear() {
    this.visible.forEach((entry) => this.#stop(entry));
    this.visible = [];
    this.queue = [];
    this.#paused.clear();
    this.#changed();
  }

  #entry(orders, own) {
    return {
      key: String(orders[0].id), own, orders, at: orders[0].at,
      remaining: this.#duration, startedAt: 0, timer: null,
    };
  }

  #enqueue(/** @type {Entry} */ entry) {
    this.queue.push(entry);
    const strangers = this.queue.filter((waiting) => !waiting.own);
    const folded = strangers.find((waiting) => waiting.orders.length > 1);
    if (!folded && strangers.length <= FOLD_OVER) return;
    const orders = strangers.flatMap((waiting) => waiting.orders)
      .sort((a, b) => b.id - a.id).slice(0, MAX_FOLDED);
    const one = this.#entry(orders, false);
    one.key = `fold-${folded?.key ?? orders[0].id}`.replace('fold-fold-', 'fold-');
    this.queue = [...this.queue.filter((waiting) => waiting.own), one];
  }

  /** Shows what there is room for; while a modal dialog is open, nothing new. */
  #fill() {
    if (this.#paused.has('modal')) return;
    let added = false;
    while (this.queue.length > 0 && this.visible.length < this.max) {
      const entry = /** @type {Entry} */ (this.queue.shift());
      this.visible = [...this.visible, entry];
      this.#start(entry);
      added = true;
    }
    if (added) this.#changed();
  }

  #start(/** @type {Entry} */ entry) {
    if (this.#paused.size > 0 || entry.timer !== null) return;
    entry.startedAt = this.#now();
    entry.timer = setTimeout(() => this.dismiss(entry.key), entry.remaining);
  }

  #stop(/** @type {Entry} */ entry) {
    if (entry.timer === null) return;
    clearTimeout(entry.timer);
    entry.timer = null;
    // Never less than a second: a toast doesn't vanish at the moment the pointer leaves it.
    entry.remaining = Math.max(1_000, entry.remaining - (this.#now() - entry.startedAt));
  }

  #remember(id) {
    this.#seen.add(id);
    if (this.#seen.size > MAX_SEEN) this.#seen.delete(/** @type {number} */ (this.#seen.values().next().value));
  }

  #changed() { this.dispatchEvent(new Event('change')); }
}
