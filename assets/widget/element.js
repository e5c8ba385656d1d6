// @ts-check
/**
 * <shopbell-toasts>: shows what the store says is visible and feeds it from a connection.
 * Not for: queue and timing (store.js), one toast's elements (view.js), registration (shopbell-toasts.js).
 *
 * Attributes: `server` (origin; the module's own by default), `token` (else the cookie counts),
 *   `position` (bottom-start | bottom-end | top-start | top-end), `duration` (ms, at least 5000),
 *   `max` (visible at once, 3), `lang` (else the document's), `href` (template, `{goodsId}`).
 * Property: `source`, an EventTarget with `BUY_GOODS`, `BUY_CANCELED`, `hello` events and a `hello`
 *   property, to share a page's connection instead of opening one.
 * Events: `toast-shown` (detail: ids), bubbling. Keys: F8 to the region, Escape back.
 * CSS parts: region, toast, text, name, goods, time, close.
 */

import { pauseOnAttention } from './attention.js';
import { Connection } from './connection.js';
import { messagesFor, plainText, sentence } from './messages.js';
import { styleSheet } from './styles.js';
import { ToastStore } from './store.js';
import { ToastView } from './view.js';

/**
 * @import { Entry } from './store.js'
 * @import { Alert, Hello } from './connection.js'
 *
 * @typedef {EventTarget & {hello?: Hello | null}} Source
 */

/** How long the live region keeps a text, so that a screen reader notices it. */
const ANNOUNCEMENT_MS = 4_000;
/** How often "2 min ago" is brought up to date. */
const TICK_MS = 15_000;

export class ShopbellToasts extends HTMLElement {
  static observedAttributes = ['position', 'duration', 'max', 'lang', 'server', 'token'];

  #store = new ToastStore();
  #region = document.createElement('section');
  #list = document.createElement('ol');
  #status = document.createElement('div');
  /** @type {Map<string, ToastView>} */ #views = new Map();
  /** Given by the page. @type {Source | null} */ #source = null;
  /** Opened here when the page gave none. @type {Connection | null} */ #connection = null;
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
    const tick = setInterval(() => this.#views.forEach((view) => view.update(Date.now())), TICK_MS);
    signal.addEventListener('abort', () => clearInterval(tick));
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
    if (name !== 'server' && name !== 'token') this.#applyAttributes();
    else if (this.#connection) this.#subscribe();
  }

  get source() { return this.#source; }

  set source(source) {
    this.#unsubscribe();
    this.#source = source;
    if (this.isConnected) this.#subscribe();
  }

  get #language() { return this.getAttribute('lang') || document.documentElement.lang || navigator.language; }

  #applyAttributes() {
    this.#store.duration = Number(this.getAttribute('duration') ?? 6_000);
    this.#store.max = Math.max(1, Math.floor(Number(this.getAttribute('max'))) || 3);
    this.#region.setAttribute('aria-label', messagesFor(this.#language).region);
    this.#views.forEach((view) => view.setLanguage(this.#language));
  }

  get #server() { return this.getAttribute('server') || new URL(import.meta.url).origin; }

  #subscribe() {
    this.#unsubscribe();
    this.#subscribed = new AbortController();
    const { signal } = this.#subscribed;
    const source = this.#source ?? this.#connect();
    source.addEventListener('BUY_GOODS', (event) => {
      this.#addAlert(/** @type {CustomEvent} */ (event).detail, source);
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
    this.#connection = new Connection({ server: this.#server, token: this.getAttribute('token') });
    this.#connection.open();
    return this.#connection;
  }

  /**
   * @param {Alert} alert from the page's source, so nothing about it is certain
   * @param {Source} source
   */
  #addAlert(alert, source) {
    if (!Number.isInteger(alert?.id) || typeof alert.goodsName !== 'string') return;
    const nickname = String(alert.nickname ?? '');
    // Dated by the server's clock. Where the reader's clock lags, that must not lie in the future.
    const at = Math.min(Date.parse(alert.date) || Date.now(), Date.now());
    const own = nickname !== '' && nickname === source.hello?.user?.nickname;
    this.#store.add({
      id: alert.id, nickname, goodsId: alert.goodsId, at,
      goodsName: alert.firstGoodsName || alert.goodsName, otherGoods: Number(alert.otherGoods) || 0,
    }, own);
  }

  #render() {
    const now = Date.now();
    const shown = new Set(this.#store.visible.map((entry) => entry.key));
    for (const [key, view] of this.#views) if (!shown.has(key)) this.#leave(key, view);
    for (const entry of this.#store.visible) {
      const known = this.#views.get(entry.key);
      if (known) known.update(now);
      else this.#enter(entry, now);
    }
    this.#setOpen(this.#store.visible.length > 0);
  }

  /**
   * @param {Entry} entry
   * @param {number} now epoch ms
   */
  #enter(entry, now) {
    const view = new ToastView(entry, {
      href: this.getAttribute('href') ?? this.#defaultHref, lang: this.#language,
      atEnd: (this.getAttribute('position') ?? '').endsWith('end'),
      dismiss: () => this.#store.dismiss(entry.key),
      pause: (reason) => this.#store.pause(reason), resume: (reason) => this.#store.resume(reason),
    });
    view.update(now);
    this.#views.set(entry.key, view);
    this.#list.append(view.element);
    this.#announce(plainText(sentence(entry, now, messagesFor(this.#language))));
    this.dispatchEvent(new CustomEvent('toast-shown', {
      detail: { ids: entry.orders.map((order) => order.id) }, bubbles: true, composed: true,
    }));
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

  get #defaultHref() {
    return `${this.#server === location.origin ? '' : this.#server}/detail.html?goodsId={goodsId}`;
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
