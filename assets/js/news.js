// @ts-check
/**
 * What this browser has been told of the log, and whether it wants to be told by toasts.
 * Not for: the alerts themselves (news-list.js reads them, ../widget/ shows them).
 *
 * An alert counts as told when its toast was shown to someone who was there; what came while the page was hidden or closed, or
 * while toasts are off, is new until the list of alerts was opened.
 *
 * Events: `change`, `toasts`.
 */

import { realtime } from './realtime.js';

const SEEN_KEY = 'shopbell.seen';
const TOASTS_KEY = 'shopbell.toasts';

/**
 * @typedef {object} Position
 * @property {number} id an offset
 * @property {string} epoch of its log
 */

class News extends EventTarget {
  /** Up to where this browser was told; null before the server has said where the log is. @type {Position | null} */
  seen = null;
  /** The newest offset of the log. */
  latest = 0;

  constructor() {
    super();
    realtime.addEventListener('hello', () => this.#begin());
    for (const type of ['BUY_GOODS', 'BUY_CANCELED']) realtime.addEventListener(type, (event) => this.#follow(/** @type {CustomEvent} */ (event).detail?.id));
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.#write(); });
    addEventListener('pagehide', () => this.#write());
    addEventListener('storage', ({ key }) => {
      if (key === SEEN_KEY || key === null) this.#readAgain();
      if (key === TOASTS_KEY || key === null) this.dispatchEvent(new Event('toasts'));
    });
  }

  /** Whether something happened that this browser was not told. */
  get isNew() { return this.seen !== null && this.latest > this.seen.id; }

  /** Whether alerts are shown as toasts here. */
  get toasts() {
    try { return localStorage.getItem(TOASTS_KEY) !== 'off'; } catch { return this.#toastsHere; }
  }

  set toasts(on) {
    this.#toastsHere = on;
    try {
      if (on) localStorage.removeItem(TOASTS_KEY);
      else localStorage.setItem(TOASTS_KEY, 'off');
    } catch { /* for this page only */ }
    this.dispatchEvent(new Event('toasts'));
  }

  /** Where storage is closed to scripts. */ #toastsHere = true;

  /** All that the log has was told. */
  markSeen() {
    if (!this.seen || !this.isNew) return;
    this.seen = { ...this.seen, id: this.latest };
    this.#write();
    this.dispatchEvent(new Event('change'));
  }

  #begin() {
    const { latest = 0, epoch = '' } = realtime.hello ?? {};
    this.latest = Number(latest) || 0;
    const kept = this.seen ?? readPosition();
    // A first visit, or another database: what happened before is no news.
    this.seen = kept && kept.epoch === epoch && kept.id <= this.latest ? kept : { id: this.latest, epoch };
    this.dispatchEvent(new Event('change'));
  }

  /** @param {unknown} id */
  #follow(id) {
    if (!this.seen || !Number.isInteger(id)) return;
    const next = Number(id);
    // Told at once, unless there is something before it that was not.
    if (next === this.seen.id + 1 && !document.hidden && this.toasts) this.seen = { ...this.seen, id: next };
    this.latest = Math.max(this.latest, next);
    this.dispatchEvent(new Event('change'));
  }

  #readAgain() {
    const kept = readPosition();
    if (!kept || !this.seen || kept.epoch !== this.seen.epoch || kept.id <= this.seen.id) return;
    this.seen = kept;
    this.latest = Math.max(this.latest, kept.id);
    this.dispatchEvent(new Event('change'));
  }

  /** Not with each alert: a busy shop has many. */
  #write() {
    if (!this.seen) return;
    const kept = readPosition();
    // Another tab was told more.
    if (kept && kept.epoch === this.seen.epoch && kept.id > this.seen.id) return;
    try { localStorage.setItem(SEEN_KEY, JSON.stringify(this.seen)); } catch { /* then the next visit is a first one */ }
  }
}

/** @returns {Position | null} */
function readPosition() {
  try {
    const kept = JSON.parse(localStorage.getItem(SEEN_KEY) ?? 'null');
    return Number.isInteger(kept?.id) && typeof kept.epoch === 'string' ? kept : null;
  } catch { return null; }
}

export const news = new News();
