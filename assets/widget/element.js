// @ts-check
/**
 * <shopbell-toasts>: shows what the store says is visible and feeds it from a connection.
 * Not for: queue and timing (store.js), one toast's elements (view.js), registration (shopbell-toasts.js).
 *
 * Attributes: `server` (origin; the module's own by default), `key` (a listen key, for a page of another shop), `token` (else
 *   the cookie counts),
 *   `position` (bottom-start | bottom-end | top-start | top-end), `duration` (ms, at least 5000),
 *   `max` (visible at once, 3), `lang` (else the document's), `href` (template, `{goodsId}`, for goods that
 *   say no page of their own).
 * Property: `source`, an EventTarget with `BUY_GOODS`, `BUY_CANCELED` and `ORDER` events and perhaps `now()`, the
 *   server's clock in ms, to share a page's connection instead of opening one.
 * Events: `toast-shown` (detail: ids), bubbling. Keys: F8 to the region, Escape back.
 * CSS parts: region, toast, text, name, goods, picture, time, close.
 */

import { pauseOnAttention } from './attention.js';
import { Connection } from './connection.js';
import { messagesFor, plainText, sentence } from './messages.js';
import { styleSheet } from './styles.js';
import { ToastStore } from './store.js';
import { ToastView } from './view.js';
import { webUrl } from './web-url.js';

/**
 * @import { Entry } from './store.js'
 * @import { Alert, Hello } from './connection.js'
 *
 * @typedef {EventTarget & {now?: () => number}} Source
 */

/** How long the live region keeps a text, so that a screen reader notices it. */
const ANNOUNCEMENT_MS = 4_000;
/** How often "2 min ago" is brought up to date. */
const TICK_MS = 15_000;
/** The height of the tallest toast with the gap below it: two lines, the time, padding. */
const TOAST_PX = 96;
/** How many of the reader's own orders are remembered: as long as their alerts may still come. */
const MAX_OWN = 200;

export class ShopbellToasts extends HTMLElement {
  static observedAttributes = ['position', 'duration', 'max', 'lang', 'server', 'token', 'key'];

  #store = new ToastStore();
  #region = document.createElement('section');
  #list = document.createElement('ol');
  #status = document.createElement('div');
  /** @type {Map<string, ToastView>} */ #views = new Map();
  /** Offsets of the reader's own orders: a name may be masked, or another shop's. @type {Set<number>} */ #own = new Set();
  /** Whose they are. @type {string | null} */ #reader = null;
  /** Given by the page. @type {Source | null} */ #source = null;
  /** Opened here when the page gave none. @type {Connection | null} */ #connection = null;
  /** Origins of pictures that did not come: a page's CSP may not let them in, and each try is a line in its console. @type {Set<string>} */ #noPictures = new Set();
  /** Aborted on disconnect. @type {AbortController | null} */ #connected = null;
  /** Aborted when the source changes. @type {AbortController | null} */ #subscribed = null;
  /** Had the focus before F8. @type {Element | null} */ #previousFocus = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [styleSheet()];
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
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    this.#applyAttributes();
    pauseOnAttention(this.#store, this.#region, signal);
    document.addEventListener('keydown', (event) => this.#onKey(event), { signal });
    this.#region.addEventListener('focusout', (event) => this.#onFocusOut(event), { signal });
    const tick = setInterval(() => this.#views.forEach((view) => view.update(this.#now)), TICK_MS);
    signal.addEventListener('abort', () => clearInterval(tick));
    addEventListener('resize', () => this.#applyMax(), { signal });
    // A page that sets `source` right after creating the element never opens a second socket.
    queueMicrotask(() => { if (this.isConnected) this.#subscribe(); });
  }

  disconnectedCallback() {
    this.#connected?.abort();
    this.#connected = null;
    this.#unsubscribe();
    this.#store.clear();
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (!this.isConnected) return;
    if (!['server', 'token', 'key'].includes(name)) this.#applyAttributes();
    else if (this.#connection) this.#subscribe();
  }

  get source() { return this.#source; }

  set source(source) {
    this.#unsubscribe();
    this.#source = source;
    if (this.isConnected) this.#subscribe();
  }

  /** The server's clock where the source knows it: that one dates orders. */
  get #now() { return (this.#source ?? this.#connection)?.now?.() ?? Date.now(); }

  get #language() { return this.getAttribute('lang') || document.documentElement.lang || navigator.language; }

  #applyAttributes() {
    this.#store.duration = Number(this.getAttribute('duration') ?? 6_000);
    this.#applyMax();
    this.#region.setAttribute('aria-label', messagesFor(this.#language).region);
    this.#views.forEach((view) => view.setLanguage(this.#language, this.#now));
  }

  /** No more at once than fit the view. */
  #applyMax() {
    const wanted = Math.floor(Number(this.getAttribute('max'))) || 3;
    this.#store.max = Math.max(1, Math.min(wanted, Math.floor(innerHeight / TOAST_PX)));
  }

  get #server() { return this.getAttribute('server') || new URL(import.meta.url).origin; }

  #subscribe() {
    this.#unsubscribe();
    this.#subscribed = new AbortController();
    const { signal } = this.#subscribed;
    const source = this.#source ?? this.#connect();
    source.addEventListener('BUY_GOODS', (event) => {
      this.#addAlert(/** @type {CustomEvent} */ (event).detail);
    }, { signal });
    source.addEventListener('ORDER', (event) => {
      this.#addOwn(/** @type {CustomEvent} */ (event).detail);
    }, { signal });
    source.addEventListener('hello', (event) => {
      this.#setReader(/** @type {CustomEvent} */ (event).detail);
    }, { signal });
    source.addEventListener('BUY_CANCELED', (event) => {
      this.#store.cancel(Number(/** @type {CustomEvent} */ (event).detail?.canceled));
    }, { signal });
  }

  #unsubscribe() {
    this.#subscribed?.abort();
    this.#subscribed = null;
    this.#connection?.close();
    this.#connection = null;
  }

  #connect() {
    const [token, key] = [this.getAttribute('token'), this.getAttribute('key')];
    this.#connection = new Connection({ server: this.#server, token, key });
    this.#connection.open();
    return this.#connection;
  }

  /**
   * Offsets of one's own orders mean nothing to another account or in another log.
   * @param {Hello} hello
   */
  #setReader(hello) {
    const reader = `${hello?.epoch} ${hello?.user?.nickname}`;
    if (this.#reader !== null && this.#reader !== reader) this.#own.clear();
    this.#reader = reader;
  }

  /**
   * Comes before the alert, or late from the page that has placed the order.
   * @param {{id?: number | null, own?: boolean}} order
   */
  #addOwn(order) {
    if (order?.own !== true || !Number.isInteger(order.id)) return;
    const id = Number(order.id);
    this.#own.add(id);
    const [oldest] = this.#own;
    if (this.#own.size > MAX_OWN) this.#own.delete(oldest);
    this.#store.claim(id);
  }

  /** @param {Alert} alert from the page's source, so nothing about it is certain */
  #addAlert(alert) {
    if (!Number.isInteger(alert?.id) || typeof alert.goodsName !== 'string') return;
    const nickname = String(alert.nickname ?? '');
    const now = this.#now;
    // What little the clocks still differ must not put it into the future.
    const at = Math.min(Date.parse(alert.orderedAt ?? '') || Date.parse(alert.date) || now, now);
    this.#store.add({
      id: alert.id, nickname, goodsId: alert.goodsId, at,
      goodsName: alert.firstGoodsName || alert.goodsName, otherGoods: Number(alert.otherGoods) || 0,
      anonymous: alert.anonymous === true, goodsUrl: webUrl(alert.goodsUrl), pictureUrl: webUrl(alert.thumbnailUrl, this.#server),
    }, this.#own.has(alert.id));
  }

  #render() {
    const now = this.#now;
    const shown = new Set(this.#store.visible.map((entry) => entry.key));
    for (const [key, view] of this.#views) if (!shown.has(key)) this.#leave(key, view);
    const entered = [];
    for (const entry of this.#store.visible) {
      const known = this.#views.get(entry.key);
      if (known) known.update(now);
      else entered.push(this.#enter(entry, now));
    }
    this.#setOpen(this.#store.visible.length > 0);
    // Only what is open has a size.
    entered.forEach((view) => view.fit());
  }

  /**
   * @param {Entry} entry
   * @param {number} now epoch ms
   */
  #enter(entry, now) {
    const view = new ToastView(entry, {
      href: this.getAttribute('href') ?? this.#defaultHref, lang: this.#language, now,
      atEnd: (this.getAttribute('position') ?? '').endsWith('end'),
      dismiss: () => this.#store.dismiss(entry.key),
      pictures: (url) => this.#mayShow(url),
      pictureFailed: (url) => this.#noPictures.add(new URL(url).origin),
      pause: (reason) => this.#store.pause(reason), resume: (reason) => this.#store.resume(reason),
    });
    this.#views.set(entry.key, view);
    this.#list.append(view.element);
    this.#announce(plainText(sentence(entry, now, messagesFor(this.#language))));
    this.dispatchEvent(new CustomEvent('toast-shown', {
      detail: { ids: entry.orders.map((order) => order.id) }, bubbles: true, composed: true,
    }));
    return view;
  }

  /**
   * Removes a toast. Focus and pointer that it had are given up, since nothing would resume the timers any more.
   * @param {string} key
   * @param {ToastView} view
   */
  #leave(key, view) {
    this.#views.delete(key);
    const hadFocus = view.element.contains(this.shadowRoot?.activeElement ?? null);
    const next = this.#views.values().next().value;
    view.leave();
    if (hadFocus) {
      if (next) next.focus();
      else this.#restoreFocus();
    }
    if (!this.#region.matches(':hover')) this.#store.resume('hover');
    this.#store.resume('swipe');
  }

  /** A page of another shop is not the place to send its visitors away from, unless it says so. */
  get #defaultHref() {
    if (this.hasAttribute('key')) return null;
    return `${this.#server === location.origin ? '' : this.#server}/detail.html?goodsId={goodsId}`;
  }

  /** @param {string} url of a picture */
  #mayShow(url) {
    const { origin, protocol } = new URL(url);
    return !this.#noPictures.has(origin) && !(location.protocol === 'https:' && protocol === 'http:');
  }

  /** @param {string} text */
  #announce(text) {
    const line = document.createElement('p');
    line.textContent = text;
    this.#status.append(line);
    setTimeout(() => line.remove(), ANNOUNCEMENT_MS);
  }

  /**
   * Puts the region into the top layer: above whatever z-index the page uses.
   * @param {boolean} open
   */
  #setOpen(open) {
    if (!this.#region.popover || !this.isConnected) return;
    const isOpen = this.#region.matches(':popover-open');
    if (open && !isOpen) this.#region.showPopover();
    // While the last toast slides out it stays open, and is closed by the toast.
    if (!open && isOpen && this.#list.childElementCount === 0) this.#region.hidePopover();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === 'F8' && this.#views.size > 0) {
      event.preventDefault();
      if (!this.matches(':focus-within')) this.#previousFocus = document.activeElement;
      this.#region.focus();
    } else if (event.key === 'Escape' && this.shadowRoot?.activeElement) {
      event.preventDefault();
      this.#restoreFocus();
    }
  }

  /** @param {FocusEvent} event */
  #onFocusOut(event) {
    if (!this.#region.contains(/** @type {Node | null} */ (event.relatedTarget))) this.#store.resume('focus');
  }

  #restoreFocus() {
    const target = this.#previousFocus;
    this.#previousFocus = null;
    if (target instanceof HTMLElement && target.isConnected && target !== document.body) target.focus();
    else /** @type {HTMLElement | null} */ (this.shadowRoot?.activeElement ?? null)?.blur();
    this.#store.resume('focus');
  }
}
