// @ts-check
/**
 * <shopbell-toasts>: shows what the store says is visible and feeds it from a connection.
 * Not for: queue and timing (store.js), one toast's elements (view.js), registration (define.js).
 *
 * Attributes, which win over what the shop says (`GET /api/shop`, `toasts`): see docs/guides/widget.md.
 * Property: `source`, an EventTarget with `BUY_GOODS`, `BUY_DIGEST`, `BUY_CANCELED` and `ORDER` events and perhaps `now()`,
 *   the server's clock in ms, to share a page's connection instead of opening one.
 * Events, bubbling and cancelable: `shopbell:toast`, `shopbell:click`, `shopbell:close`; detail: ids, own, text.
 * Keys: F8 to the region, Escape back.
 * CSS parts: region, toast, badge, picture, body, text, name, goods, time, close.
 */

import { every, listen } from '../client/listen.js';
import { SharedConnection } from '../client/shared.js';
import { pauseOnAttention } from './attention.js';
import { counter } from './counts.js';
import { keep, recall } from './memory.js';
import { messagesFor, plainText, sentence } from './messages.js';
import { styleSheet } from './styles.js';
import { ToastStore } from './store.js';
import { swipeable } from './swipe.js';
import { make, toastView } from './view.js';
import { webUrl } from './web-url.js';

/**
 * @import { Entry } from './store.js'
 * @import { Alert, Hello } from '../client/connection.js'
 * @import { What } from './counts.js'
 *
 * @typedef {EventTarget & {now?: () => number, lastId?: number | null}} Source
 */

/** How long the live region keeps a text, so that a screen reader notices it. */
const ANNOUNCEMENT_MS = 4_000;
/** How often "2 minutes ago" is brought up to date. */
const TICK_MS = 15_000;
/** The height of the tallest toast with the gap below it: two lines, the time, padding. */
const TOAST_PX = 96;
/** How many of the reader's own orders are remembered: as long as their alerts may still come. */
const MAX_OWN = 200;
/** How long what was missed is waited for, so that much of it is one line. */
const CATCH_UP_MS = 1_000;
/** How long the shop's settings are waited for. */
const SETTINGS_TIMEOUT_MS = 5_000;
const DAY_MS = 86_400_000;

export class ShopbellToasts extends HTMLElement {
  static observedAttributes = ['lang', 'seconds', 'atonce'];

  #store = new ToastStore();
  #list = make('ol', '');
  #region = make('section', 'region', this.#list);
  #status = make('div', '');
  /** @type {Map<string, ReturnType<typeof toastView>>} */ #views = new Map();
  /** Offsets of the reader's own orders: a name may be masked, or another shop's. @type {Set<number>} */ #own = new Set();
  /** Whose they are. @type {string | null} */ #reader = null;
  /** Given by the page. @type {Source | null} */ #source = null;
  /** Opened here when the page gave none. @type {SharedConnection | null} */ #connection = null;
  /** Origins of pictures that did not come: a page's CSP may not let them in, and each try is a line in its console. @type {Set<string>} */ #noPictures = new Set();
  /** What the shop says of toasts. @type {Record<string, any>} */ #shop = {};
  /** Aborted on disconnect. @type {AbortController | null} */ #connected = null;
  /** Aborted when the source changes. @type {AbortController | null} */ #subscribed = null;
  /** Had the focus before F8. @type {any} */ #previousFocus = null;
  /** @type {any} */ #count;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [styleSheet()];
    this.#region.tabIndex = -1;
    this.#region.popover = 'manual';
    this.#list.role = 'list';
    // Outside of the popover, empty, and there from the start: text put into it is read out.
    this.#status.role = 'status';
    root.append(this.#status, this.#region);
    this.#store.addEventListener('change', () => this.#render());
  }

  connectedCallback() {
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    this.#apply();
    pauseOnAttention(this.#store, this.#region, signal);
    listen(document, signal, { keydown: (event) => this.#onKey(event) });
    listen(globalThis, signal, { resize: () => this.#apply() });
    every(TICK_MS, signal, () => this.#update());
    this.#count = counter(this.#address('/api/widget/counts'), signal);
    // A page that sets `source` right after creating the element never opens a second socket.
    queueMicrotask(() => this.#begin(signal));
  }

  disconnectedCallback() {
    this.#connected?.abort();
    this.#unsubscribe();
    this.#store.clear();
  }

  attributeChangedCallback() { if (this.isConnected) this.#apply(); }

  get source() { return this.#source; }

  set source(source) {
    this.#unsubscribe();
    this.#source = source;
    if (this.isConnected) this.#subscribe();
  }

  /** Whether the reader is not told what others order. */
  get muted() { return Date.now() < recall('localStorage'); }

  /** Shows what the page itself has to say. @param {string} text */
  show(text) { this.#add(/** @type {any} */ ({ id: -performance.now(), at: this.#now, text }), true); }

  /** Holds toasts back, and those that are shown where they are, until `resume`. */
  pause() { this.#store.pause('page'); }

  resume() { this.#store.resume('page'); }

  /** No more toasts of others' orders, for so many days: for good, unless said otherwise; 0 ends it. @param {number} [days] */
  mute(days = Infinity) {
    keep('localStorage', Date.now() + days * DAY_MS);
    if (days) this.#store.clearQueue();
  }

  /** The server's clock where the source knows it: that one dates orders. */
  get #now() { return (this.#source ?? this.#connection)?.now?.() ?? Date.now(); }

  get #language() { return this.getAttribute('lang') || document.documentElement.lang || navigator.language; }

  get #server() { return this.getAttribute('server') || new URL(import.meta.url).origin; }

  /** @param {string} path */
  #address(path) {
    const address = new URL(path, this.#server);
    const key = this.getAttribute('key');
    if (key) address.searchParams.set('key', key);
    return address;
  }

  /** Learns what the shop says of toasts, then listens. @param {AbortSignal} signal */
  async #begin(signal) {
    // Without popovers (browsers before 2024) there is nothing that toasts could be shown in.
    if (signal.aborted || !this.togglePopover) return;
    if (this.#source && !this.#subscribed) this.#subscribe();
    try {
      const response = await fetch(this.#address('/api/shop'), { credentials: 'omit', signal: AbortSignal.timeout(SETTINGS_TIMEOUT_MS) });
      this.#shop = (await response.json()).toasts ?? {};
    } catch { /* As the attributes say. */ }
    if (signal.aborted) return;
    this.#apply();
    if (!this.#subscribed && this.#isWanted) this.#subscribe();
  }

  /**
   * @param {string} name of the shop's setting, and, without regard to case, of the attribute that wins
   * @returns {any}
   */
  #setting(name) { return this.getAttribute(name) ?? this.#shop[name] ?? undefined; }

  /**
   * @param {string} name
   * @param {number} otherwise
   * @returns {number} at least 0
   */
  #number(name, otherwise) {
    const value = Number(this.#setting(name));
    return value >= 0 ? value : otherwise;
  }

  /** Whether toasts are to be shown on this page. */
  get #isWanted() {
    const covers = (/** @type {unknown} */ starts) => String(starts ?? '').split(/[\s,]+/).some((start) => start && location.pathname.startsWith(start));
    const include = this.#setting('include');
    return (!include?.length || covers(include)) && !covers(this.#setting('exclude'));
  }

  #apply() {
    const store = this.#store;
    store.duration = this.#number('seconds', 0) * 1_000;
    store.gap = this.#number('gapSeconds', 0) * 1_000;
    store.waitUntil(Date.now() + this.#number('delaySeconds', 0) * 1_000 - performance.now());
    // No more at once than fit the view.
    store.max = Math.max(1, Math.min(this.#number('atOnce', 3), Math.floor(innerHeight / TOAST_PX)));
    this.#region.ariaLabel = messagesFor(this.#language).region;
    this.#update();
  }

  #update() { this.#views.forEach((view) => view.update(this.#now, this.#language)); }

  /** Listens to the source; not to one that is listened to already. */
  #subscribe() {
    this.#subscribed = new AbortController();
    const { signal } = this.#subscribed;
    const source = this.#source ?? this.#connect();
    const detail = (/** @type {(detail: any) => void} */ then) => (/** @type {CustomEvent} */ event) => then(event.detail ?? {});
    listen(source, signal, {
      BUY_GOODS: detail((alert) => this.#addAlert(alert)),
      BUY_DIGEST: detail((digest) => this.#addAlert(digest)),
      ORDER: detail((order) => this.#addOwn(order)),
      BUY_CANCELED: detail(({ canceled }) => this.#store.cancel(canceled)),
      hello: detail((hello) => this.#greet(hello)),
    });
    this.#connection?.open();
  }

  #unsubscribe() {
    this.#subscribed?.abort();
    this.#subscribed = null;
    this.#connection?.close();
    this.#connection = null;
  }

  #connect() {
    this.#connection = new SharedConnection({
      server: this.#server, token: this.getAttribute('token'), key: this.getAttribute('key'), digest: this.#number('digestPerSecond', 0) || null,
    });
    return this.#connection;
  }

  /**
   * Offsets of one's own orders mean nothing to another account or in another log. What was missed comes at once.
   * @param {Hello} hello
   */
  #greet({ epoch, user, latest }) {
    const reader = `${epoch} ${user?.nickname}`;
    if (this.#reader !== null && this.#reader !== reader) this.#own.clear();
    this.#reader = reader;
    if (!(latest > ((this.#source ?? this.#connection)?.lastId ?? latest))) return;
    this.#store.pause('missed');
    setTimeout(() => this.#store.resume('missed'), CATCH_UP_MS);
  }

  /**
   * Comes before the alert, or late from the page that has placed the order.
   * @param {{id?: number | null, own?: boolean}} order
   */
  #addOwn({ own, id }) {
    if (own !== true || typeof id !== 'number') return;
    this.#own.add(id);
    const [oldest] = this.#own;
    if (this.#own.size > MAX_OWN) this.#own.delete(oldest);
    this.#store.claim(id);
  }

  /** @param {Alert & {to?: number, count?: number, buyers?: number, goods?: unknown[]}} alert from the page's source, so nothing about it is certain */
  #addAlert(alert) {
    const id = alert.to ?? alert.id;
    if (!Number.isInteger(id) || typeof alert.goodsName !== 'string') return;
    const now = this.#now;
    this.#add({
      id, nickname: String(alert.nickname ?? ''), goodsId: alert.goodsId,
      // What little the clocks still differ must not put it into the future.
      at: Math.min(Date.parse(alert.orderedAt ?? alert.date) || now, now),
      goodsName: alert.firstGoodsName || alert.goodsName, otherGoods: Number(alert.otherGoods) || (alert.goods?.length ?? 1) - 1,
      anonymous: alert.anonymous === true, goodsUrl: webUrl(alert.goodsUrl), pictureUrl: webUrl(alert.thumbnailUrl, this.#server),
      count: Number(alert.count) || 1, buyers: Number(alert.buyers) || 1,
    }, this.#own.has(id));
  }

  /** Whether this visit has had as many toasts of others as it may. */
  get #isUsedUp() { return recall('sessionStorage') >= this.#number('perVisit', Infinity); }

  /**
   * @param {import('./store.js').Order} order
   * @param {boolean} own
   */
  #add(order, own) {
    if (own || !(this.muted || !this.#isWanted || this.#isUsedUp)) this.#store.add(order, own);
  }

  #render() {
    // Looked up each time: who hears of a toast may change the list, which renders in between.
    const isVisible = (/** @type {string} */ key) => this.#store.visible.some((entry) => entry.key === key);
    for (const [key, view] of this.#views) if (!isVisible(key)) this.#leave(key, view);
    for (const entry of this.#store.visible) if (isVisible(entry.key) && !this.#views.has(entry.key)) this.#enter(entry);
    this.#setOpen();
    // Only what is open has a size.
    this.#update();
  }

  /** @param {Entry} entry */
  #enter(entry) {
    const { key } = entry;
    const text = plainText(sentence(entry, this.#now, messagesFor(this.#language)));
    const tell = (/** @type {string} */ type, /** @type {What} */ what) => {
      const detail = { ids: entry.orders.map(({ id }) => id), own: entry.own, text };
      const goesOn = this.dispatchEvent(new CustomEvent(`shopbell:${type}`, { detail, bubbles: true, composed: true, cancelable: true }));
      if (goesOn) this.#count(what);
      return goesOn;
    };
    const dismiss = () => {
      if (!tell('close', 'closed')) return;
      const days = this.#number('quietDays', 0);
      if (days && !entry.own) this.mute(days);
      this.#store.dismiss(key);
    };
    const view = toastView(entry, {
      // A page of another shop is not the place to send its visitors away from, unless it says so.
      href: this.getAttribute('href') ?? (this.hasAttribute('key') ? null : `${this.#server}/detail.html?goodsId={goodsId}`),
      pictures: (url) => !this.#noPictures.has(new URL(url).origin),
      pictureFailed: (url) => this.#noPictures.add(new URL(url).origin),
      dismiss,
    });
    this.#views.set(key, view);
    // Another may have come while this one waited.
    if (this.#isUsedUp && !entry.own || !tell('toast', 'shown')) return this.#store.dismiss(key);
    if (!entry.own && this.#setting('perVisit')) keep('sessionStorage', recall('sessionStorage') + 1);
    swipeable(view.element, this.#store, dismiss);
    view.element.addEventListener('click', (event) => {
      const isLink = /** @type {Element} */ (event.target).closest('a');
      if (isLink && !event.defaultPrevented && !tell('click', 'clicked')) event.preventDefault();
    });
    this.#list[this.matches('[position^=top]') ? 'prepend' : 'append'](view.element);
    const line = make('p', '', text);
    this.#status.append(line);
    setTimeout(() => line.remove(), ANNOUNCEMENT_MS);
  }

  /**
   * Removes a toast. Focus and pointer that it had are given up, since nothing would resume the timers any more.
   * @param {string} key
   * @param {ReturnType<typeof toastView>} view
   */
  #leave(key, view) {
    this.#views.delete(key);
    const hadFocus = view.element.contains(this.shadowRoot?.activeElement ?? null);
    const [next] = this.#views.values();
    view.leave(() => this.#setOpen());
    if (hadFocus) next ? next.focus() : this.#restoreFocus();
    if (!this.#region.matches(':hover')) this.#store.resume('hover');
    this.#store.resume('swipe');
  }

  /** Puts the region into the top layer, above whatever z-index the page uses, while there are toasts. */
  #setOpen() {
    const region = this.#region;
    const open = this.#views.size > 0;
    // While the last toast slides out it stays open.
    if (this.isConnected && open !== region.matches(':popover-open') && (open || !this.#list.firstChild)) region.togglePopover(open);
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

  #restoreFocus() {
    /** @type {HTMLElement | null} */ (this.shadowRoot?.activeElement)?.blur();
    this.#previousFocus?.focus();
    this.#previousFocus = null;
    this.#store.resume('focus');
  }
}
