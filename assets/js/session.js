/**
 * Who is logged in and what lies in their cart, shared by header and pages, kept alike across tabs.
 * Not for: credentials: they are an HttpOnly cookie that no script sees. What is stored
 * here is a mere hint, so that guests aren't asked for a profile that they don't have.
 *
 * Events: `user`, `cart`; `carried`, detail `{error}`: what a guest wanted to put into the cart is there, or could not be.
 */

import { api, ApiError } from './api.js';
import { forgetAttempt } from './attempt.js';
import { leftByHand, missingFrom, rememberCart } from './cart-memory.js';
import { takeIntent } from './intent.js';

const HINT = 'shopbell.member';

class Session extends EventTarget {
  /** @type {{userId: number, email: string, nickname: string, hidePurchases: boolean, createdAt: string} | null} */
  user = null;
  /** @type {{quantity: number, goods: any}[] | null} null: not known (yet) */
  cart = null;
  /** Why the last question went without an answer, if it did. @type {unknown} */
  failure = null;
  /** Whether the question of who is logged in is settled. */
  known = !readHint();
  /** Settles when it is known whether someone is logged in. @type {Promise<void>} */
  ready;
  #tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('shopbell') : null;

  constructor() {
    super();
    this.ready = readHint() ? this.#load() : Promise.resolve();
    this.#tabs?.addEventListener('message', (event) => {
      if (event.data === 'cart') this.refreshCart({ tell: false });
      if (event.data === 'user') this.#load();
      if (event.data === 'guest') this.#setUser(null);
    });
    addEventListener('pageshow', (event) => { if (event.persisted && readHint()) this.#load(); });
  }

  get cartCount() { return (this.cart ?? []).reduce((sum, line) => sum + line.quantity, 0); }

  /** The socket said who we are: the hint may be older than that. */
  async heard(/** @type {{nickname: string} | null} */ user) {
    await this.ready;
    if (Boolean(user) !== Boolean(this.user)) await this.#load();
  }

  /** Asks whether we are still who we were. */
  check() { return this.#load(); }

  async loggedIn() {
    writeHint(true);
    await this.#load();
    this.#tabs?.postMessage('user');
  }

  /** After logging out, or when the server no longer knows us. */
  loggedOut() {
    writeHint(false);
    this.#setUser(null);
    this.#tabs?.postMessage('guest');
  }

  changed(user) {
    this.#setUser(user);
    this.#tabs?.postMessage('user');
  }

  /** @returns {Promise<{quantity: number, goods: any}[]>} */
  async refreshCart({ tell = true } = {}) {
    const cart = (await api.cart()) ?? [];
    if (this.user) await this.#noticeGone(this.user.userId, cart);
    this.cart = cart;
    this.dispatchEvent(new Event('cart'));
    if (tell) this.#tabs?.postMessage('cart');
    return cart;
  }

  /** The member takes a line out. */
  async removeFromCart(/** @type {number} */ goodsId) {
    await api.removeFromCart(goodsId);
    if (this.user) leftByHand(this.user.userId, goodsId);
  }

  /** All of the cart was ordered. */
  cartOrdered() { if (this.user) leftByHand(this.user.userId); }

  /** Which of the lines that are missing are goods that the shop no longer has. */
  async #noticeGone(userId, cart) {
    const missing = missingFrom(userId, cart);
    const sold = await Promise.all(missing.map(({ goodsId }) => api.isSold(goodsId)));
    rememberCart(userId, cart, missing.filter((_, index) => !sold[index]));
  }

  /** Puts into the cart what a guest wanted, before anyone is told of the log-in: a page may go on at once. */
  async #carryOut(user) {
    const wanted = takeIntent(user.userId);
    if (!wanted) return;
    let error = null;
    try {
      await this.addToCart(wanted.goodsId, wanted.quantity);
    } catch (refusal) {
      error = refusal;
    }
    this.dispatchEvent(new CustomEvent('carried', { detail: { error } }));
  }

  /** Adds to what is in the cart already. */
  async addToCart(/** @type {number} */ goodsId, /** @type {number} */ quantity) {
    forgetAttempt();
    const lines = this.cart ?? (await this.refreshCart());
    const present = lines.find((line) => line.goods.goodsId === goodsId);
    try {
      if (present) await api.setInCart(goodsId, Math.min(999, present.quantity + quantity));
      else await api.addToCart(goodsId, quantity);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'already_in_cart') throw error;
      // Another tab was quicker.
      const now = (await this.refreshCart()).find((line) => line.goods.goodsId === goodsId);
      await api.setInCart(goodsId, Math.min(999, (now?.quantity ?? 0) + quantity));
    }
    await this.refreshCart();
  }

  async #load() {
    this.failure = null;
    try {
      const user = await api.me();
      writeHint(true);
      if (user.userId !== this.user?.userId) {
        this.cart = null;
        await this.#carryOut(user);
      }
      this.#setUser(user);
      await this.refreshCart({ tell: false });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        writeHint(false);
        this.#setUser(null);
      } else {
        this.failure = error;
        this.known = true;
        this.dispatchEvent(new Event('user'));
      }
    }
  }

  #setUser(user) {
    this.user = user;
    this.known = true;
    if (!user) this.cart = null;
    this.dispatchEvent(new Event('user'));
    this.dispatchEvent(new Event('cart'));
  }
}

function readHint() {
  try { return localStorage.getItem(HINT) === '1'; } catch { return true; }
}

function writeHint(member) {
  try {
    if (member) localStorage.setItem(HINT, '1');
    else localStorage.removeItem(HINT);
  } catch { /* storage is closed to us: we ask the server each time */ }
}

export const session = new Session();
