/**
 * <shopbell-toasts>: shows what the store says is visible and feeds it from a connection.
 * Not for: queue and timing (store.js), one toast's elements (view.js), registration (shopbell-toasts.js).
 *
 * Attributes: `server` (origin; the module's own by default), `token` (else the cookie counts),
 *   `position` (bottom-start | bottom-end | top-start | top-end), `duration` (ms, at least 5000),
 *   `max` (visible at once, 3), `lang` (else the document's), `href` (template, `{goodsId}`).
 * Property: `source`, an EventTarget with `BUY_GOODS`, `BUY_CANCELED` and `ORDER` events and perhaps `now()`, the
 *   server's clock in ms, to share a page's connection instead of opening one.
 * Events: `toast-shown` (detail: ids), bubbling. Keys: F8 to the region, Escape back.
 * CSS parts: region, toast, text, name, goods, time, close.
 */

import { Connection } from './connection.js';
import { ToastStore } from './store.js';
import { sheet } from './sheet.js';
import { ToastView } from './view.js';
import { plain, sentence, wordsFor } from './words.js';

/** The live region keeps a text for as long as a screen reader needs to notice it. */
const ANNOUNCEMENT_MS = 4_000;
/** How often "2 min ago" is brought up to date. */
const TICK_MS = 15_000;
/** The height of the tallest toast with the gap below it: two lines, the time, padding. */
const TOAST_PX = 96;
/** Which orders are one's own is remembered for as long as their alerts may still come. */
const MAX_OWN = 200;

export class ShopbellToasts extends HTMLElement {
  static observedAttributes = ['position', 'duration', 'max', 'lang', 'server', 'token'];

  #store = new ToastStore();
  #region = document.createElement('section');
  #list = document.createElement('ol');
  #status = document.createElement('div');
  /** @type {Map<string, ToastView>} */ #views = new Map();
  /** Offsets of the reader's own orders; a displayed name may be masked, or another shop's. @type {Set<number>} */ #mine = new Set();
  /** Whose they are. @type {string | null} */ #reader = null;
  /** @type {EventTarget & {now?: () => number} | null} */ #source = null;
  /** @type {Connection | null} */ #own = null;
  /** @type {AbortController | null} */ #live = null;
  /** @type {AbortController | null} */ #hearing = null;
  /** @type {Element | null} */ #cameFrom = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet()];
    this.#region.setAttribute('part', 'region');
    this.#region.tabIndex = -1;
    if ('popover' in this.#region) this.#region.popover = 'manual';
    this.#list.setAttribute('role', 'list');
    this.#region.append(this.#list);
    // Outside of the popover, empty, and there from the start: text put into it is read out.
    this.#status.setAttribute('role', 'status');
    this.#status.setAttribute('aria-live', 'polite');
    this.#status.setAttribute('aria-atomic', 'false');
    root.append(this.#status, this.#region);
    this.#store.addEventListener('change', () => this.#render());
  }

  connectedCallback() {
    this.#live = new AbortController();
    const { signal } = this.#live;
    this.#applyAttributes();
    this.#pauseWhile(signal);
    document.addEventListener('keydown', (event) => this.#onKey(event), { signal });
    this.#region.addEventListener('focusout', (event) => this.#onFocusOut(event), { signal });
    const tick = setInterval(() => this.#views.forEach((view) => view.update(this.#now)), TICK_MS);
    signal.addEventListener('abort', () => clearInterval(tick));
    addEventListener('resize', () => this.#limit(), { signal });
    // A page that sets `source` right after creating the element never opens a second socket.
    queueMicrotask(() => { if (this.isConnected) this.#listen(); });
  }

  disconnectedCallback() {
    this.#live?.abort();
    this.#live = null;
    this.#stopListening();
    this.#store.clear();
  }

  attributeChangedCallback(/** @type {string} */ name) {
    if (!this.isConnected) return;
    if (name !== 'server' && name !== 'token') this.#applyAttributes();
    else if (this.#own) this.#listen();
  }

  get source() { return this.#source; }

  set source(source) {
    this.#stopListening();
    this.#source = source;
    if (this.isConnected) this.#listen();
  }

  /** By the server's clock where the source tells it: that is the one that dates orders. */
  get #now() { return (this.#source ?? this.#own)?.now?.() ?? Date.now(); }

  get #language() { return this.getAttribute('lang') || document.documentElement.lang || navigator.language; }

  #applyAttributes() {
    this.#store.duration = Number(this.getAttribute('duration') ?? 6_000);
    this.#limit();
    this.#region.setAttribute('aria-label', wordsFor(this.#language).region);
    this.#views.forEach((view) => view.speak(this.#language, this.#now));
  }

  /** No more at once than fit the view. */
  #limit() {
    const wanted = Math.floor(Number(this.getAttribute('max'))) || 3;
    this.#store.max = Math.max(1, Math.min(wanted, Math.floor(innerHeight / TOAST_PX)));
  }

  #listen() {
    this.#stopListening();
    this.#hearing = new AbortController();
    const { signal } = this.#hearing;
    if (!this.#source) {
      const server = this.getAttribute('server') || new URL(import.meta.url).origin;
      this.#own = new Connection({ server, token: this.getAttribute('token') });
      this.#own.open();
    }
    const source = /** @type {EventTarget & {now?: () => number}} */ (this.#source ?? this.#own);
    source.addEventListener('BUY_GOODS', (event) => this.#bought(/** @type {CustomEvent} */ (event).detail), { signal });
    source.addEventListener('hello', (event) => this.#greeted(/** @type {CustomEvent} */ (event).detail), { signal });
    source.addEventListener('ORDER', (event) => this.#ordered(/** @type {CustomEvent} */ (event).detail), { signal });
    source.addEventListener('BUY_CANCELED', (event) => {
      this.#store.cancel(Number(/** @type {CustomEvent} */ (event).detail?.canceled));
    }, { signal });
  }

  #stopListening() {
    this.#hearing?.abort();
    this.#hearing = null;
    this.#own?.close();
    this.#own = null;
  }

  /** Another account or another log: offsets of one's own orders mean nothing there. */
  #greeted(hello) {
    const reader = `${hello?.epoch} ${hello?.user?.nickname}`;
    if (this.#reader !== null && this.#reader !== reader) this.#mine.clear();
    this.#reader = reader;
  }

  /** It comes before the alert, or late from another tab. */
  #ordered(order) {
    if (order?.own !== true || !Number.isInteger(order.id)) return;
    this.#mine.add(order.id);
    if (this.#mine.size > MAX_OWN) this.#mine.delete(/** @type {number} */ (this.#mine.values().next().value));
    this.#store.claim(order.id);
  }

  #bought(alert) {
    if (!Number.isInteger(alert?.id) || typeof alert.goodsName !== 'string') return;
    const nickname = String(alert.nickname ?? '');
    const now = this.#now;
    // What little the clocks still differ must not put it into the future.
    const at = Math.min(Date.parse(alert.date) || now, now);
    this.#store.add({
      id: alert.id, nickname, goodsId: alert.goodsId, at,
      goodsName: alert.firstGoodsName || alert.goodsName, otherGoods: Number(alert.otherGoods) || 0,
    }, this.#mine.has(alert.id));
  }

  #render() {
    const now = this.#now;
    const shown = new Set(this.#store.visible.map((entry) => entry.key));
    for (const [key, view] of this.#views) if (!shown.has(key)) this.#leave(key, view);
    for (const entry of this.#store.visible) {
      const known = this.#views.get(entry.key);
      if (known) known.update(now);
      else this.#enter(entry, now);
    }
    this.#setOpen(this.#store.visible.length > 0);
  }

  #enter(entry, now) {
    const view = new ToastView(entry, {
      href: this.getAttribute('href') ?? this.#defaultHref(), lang: this.#language, now,
      atEnd: (this.getAttribute('position') ?? '').endsWith('end'),
      dismiss: () => this.#store.dismiss(entry.key),
      pause: (why) => this.#store.pause(why), resume: (why) => this.#store.resume(why),
    });
    this.#views.set(entry.key, view);
    this.#list.append(view.element);
    this.#announce(plain(sentence(entry, now, wordsFor(this.#language))));
    this.dispatchEvent(new CustomEvent('toast-shown', {
      detail: { ids: entry.orders.map((order) => order.id) }, bubbles: true, composed: true,
    }));
  }

  /** A toast that had the focus or the pointer hands both on: else the clocks would stand still for ever. */
  #leave(key, view) {
    this.#views.delete(key);
    const hadFocus = view.element.contains(this.shadowRoot?.activeElement ?? null);
    const next = this.#views.values().next().value;
    view.leave();
    if (hadFocus) {
      if (next) next.focus();
      else this.#giveFocusBack();
    }
    if (!this.#region.matches(':hover')) this.#store.resume('hover');
    this.#store.resume('swipe');
  }

  #defaultHref() {
    const server = this.getAttribute('server') || new URL(import.meta.url).origin;
    return `${server === location.origin ? '' : server}/detail.html?goodsId={goodsId}`;
  }

  #announce(text) {
    const line = document.createElement('p');
    line.textContent = text;
    this.#status.append(line);
    setTimeout(() => line.remove(), ANNOUNCEMENT_MS);
  }

  /** The top layer puts toasts above any stacking of the page, without a z-index contest. */
  #setOpen(open) {
    if (!this.#region.popover || !this.isConnected) return;
    const isOpen = this.#region.matches(':popover-open');
    if (open && !isOpen) this.#region.showPopover();
    // Left open while the last toast slides out; an empty list catches no pointer.
    if (!open && isOpen && this.#list.childElementCount === 0) this.#region.hidePopover();
  }

  #pauseWhile(signal) {
    const store = this.#store;
    const set = (why, on) => on ? store.pause(why) : store.resume(why);
    const region = this.#region;
    region.addEventListener('pointerenter', () => set('hover', true), { signal });
    region.addEventListener('pointerleave', () => set('hover', false), { signal });
    // Keyboard focus only: a click into a toast focuses the region too, and must not stop the clocks for good.
    region.addEventListener('focusin', (event) => {
      set('focus', /** @type {Element} */ (event.target).matches(':focus-visible'));
    }, { signal });
    document.addEventListener('visibilitychange', () => set('hidden', document.hidden), { signal });
    addEventListener('blur', () => set('blur', true), { signal });
    addEventListener('focus', () => set('blur', false), { signal });
    set('hidden', document.hidden);
    const modal = () => set('modal', document.querySelector('dialog:modal') !== null);
    const watch = new MutationObserver(modal);
    watch.observe(document, { subtree: true, childList: true, attributeFilter: ['open'] });
    signal.addEventListener('abort', () => watch.disconnect());
    modal();
  }

  #onKey(event) {
    if (event.key === 'F8' && this.#views.size > 0) {
      event.preventDefault();
      if (!this.matches(':focus-within')) this.#cameFrom = document.activeElement;
      this.#region.focus();
    } else if (event.key === 'Escape' && this.shadowRoot?.activeElement) {
      event.preventDefault();
      this.#giveFocusBack();
    }
  }

  #onFocusOut(event) {
    if (!this.#region.contains(event.relatedTarget)) this.#store.resume('focus');
  }

  #giveFocusBack() {
    const target = this.#cameFrom;
    this.#cameFrom = null;
    if (target instanceof HTMLElement && target.isConnected && target !== document.body) target.focus();
    else /** @type {HTMLElement | null} */ (this.shadowRoot?.activeElement ?? null)?.blur();
    this.#store.resume('focus');
  }
}
