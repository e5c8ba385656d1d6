// @ts-check
/**
 * Who is logged in and what is in their cart, shared by header and pages and kept in step across tabs.
 * Not for: credentials: they are an HttpOnly cookie that no script sees. What is stored
 * here is a mere hint, so that guests are not asked for a profile that they don't have.
 *
 * Events: `user`, `cart`; `intent`, detail `{error}`: what was wanted before the log-in is in the cart, or could not be put there.
 */

import { api, ApiError, MAX_QUANTITY } from './api.js';
import { forgetLines, missingFrom, rememberCart } from './cart-memory.js';
import { forgetCheckoutKey } from './checkout-key.js';
import { settledCredentials } from './credentials.js';
import { takeIntent } from './intent.js';

/** @import { Line, User } from './api.js' */

const HINT_KEY = 'shopbell.member';

class Session extends EventTarget {
  /** @type {User | null} */
  user = null;
  /** null: not known (yet). @type {Line[] | null} */
  cart = null;
  /** Why the last request for the user failed, if it did. @type {unknown} */
  failure = null;
  /** Whether it is known if someone is logged in. */
  known = !readHint();
  /** Settles when `known` is true. @type {Promise<void>} */
  ready;
  #tabs = new BroadcastChannel('shopbell');

  constructor() {
    super();
    this.ready = readHint() ? this.refresh() : Promise.resolve();
    this.#tabs.addEventListener('message', (event) => {
      if (event.data === 'cart') this.#reloadCart().catch(() => { /* the next page load tries again */ });
      if (event.data === 'user') this.refresh();
      if (event.data === 'guest') this.#setUser(null);
    });
    addEventListener('pageshow', (event) => { if (event.persisted && readHint()) this.refresh(); });
  }

  get cartCount() { return (this.cart ?? []).reduce((sum, line) => sum + line.quantity, 0); }

  /** Asks the server who is logged in. Never rejects: a failure is kept in `failure`. */
  async refresh() {
    this.failure = null;
    try {
      await settledCredentials();
      const user = await api.me();
      writeHint(true);
      if (user.userId !== this.user?.userId) await this.#carryOutIntent(user);
      this.#setUser(user);
      await this.#reloadCart();
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

  /**
   * Refreshes when the socket's handshake says otherwise: the hint may be older than that.
   * @param {{nickname: string} | null} user
   */
  async checkAgainst(user) {
    await this.ready;
    if (Boolean(user) !== Boolean(this.user)) await this.refresh();
  }

  /** Call after logging in. */
  async loggedIn() {
    writeHint(true);
    await this.refresh();
    this.#tabs.postMessage('user');
  }

  /** Call after logging out, or when the server says that the log-in has ended. */
  loggedOut() {
    writeHint(false);
    this.#setUser(null);
    this.#tabs.postMessage('guest');
  }

  /**
   * Call after the account was changed.
   * @param {User} user
   */
  changed(user) {
    this.#setUser(user);
    this.#tabs.postMessage('user');
  }

  /**
   * Reads the cart, and lets other tabs do the same when it was changed here.
   * @param {{changed?: boolean}} [options]
   */
  async refreshCart({ changed = true } = {}) {
    const cart = await this.#reloadCart();
    if (changed) this.#tabs.postMessage('cart');
    return cart;
  }

  /**
   * Adds to what is in the cart already.
   * @param {number} goodsId
   * @param {number} quantity
   */
  async addToCart(goodsId, quantity) {
    forgetCheckoutKey();
    const find = (/** @type {Line[]} */ cart) => cart.find((line) => line.goods.goodsId === goodsId);
    const present = find(this.cart ?? (await this.refreshCart()));
    try {
      if (present) await api.setInCart(goodsId, Math.min(MAX_QUANTITY, present.quantity + quantity));
      else await api.addToCart(goodsId, quantity);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'already_in_cart') throw error;
      // Another tab was quicker.
      const now = find(await this.refreshCart());
      await api.setInCart(goodsId, Math.min(MAX_QUANTITY, (now?.quantity ?? 0) + quantity));
    }
    await this.refreshCart();
  }

  /**
   * The member takes goods out.
   * @param {number} goodsId
   */
  async removeFromCart(goodsId) {
    await api.removeFromCart(goodsId);
    if (this.user) forgetLines(this.user.userId, goodsId);
  }

  /** Call after the whole cart was ordered. */
  cartOrdered() { if (this.user) forgetLines(this.user.userId); }

  async #reloadCart() {
    const cart = await api.cart();
    if (this.user) await noticeGone(this.user.userId, cart);
    this.cart = cart;
    this.dispatchEvent(new Event('cart'));
    return cart;
  }

  /**
   * Before anyone is told of the log-in: a page may go on to another at once.
   * @param {User} user
   */
  async #carryOutIntent(user) {
    const intent = takeIntent(user.userId);
    if (!intent) return;
    // Nothing of another account that was here before.
    this.user = null;
    this.cart = null;
    let error = null;
    try {
      await this.addToCart(intent.goodsId, intent.quantity);
    } catch (refusal) {
      error = refusal;
    }
    this.dispatchEvent(new CustomEvent('intent', { detail: { error } }));
  }

  /** @param {User | null} user */
  #setUser(user) {
    this.user = user;
    this.known = true;
    if (!user) this.cart = null;
    this.dispatchEvent(new Event('user'));
    this.dispatchEvent(new Event('cart'));
  }
}

/**
 * Remembers which of the lines that are missing are goods that the shop no longer has.
 * @param {number} userId
 * @param {Line[]} cart
 */
async function noticeGone(userId, cart) {
  const missing = missingFrom(userId, cart);
  const sold = await Promise.all(missing.map(({ goodsId }) => api.isSold(goodsId)));
  rememberCart(userId, cart, missing.filter((_, index) => !sold[index]));
}

function readHint() {
  try { return localStorage.getItem(HINT_KEY) === '1'; } catch { return true; }
}

/** @param {boolean} member */
function writeHint(member) {
  try {
    if (member) localStorage.setItem(HINT_KEY, '1');
    else localStorage.removeItem(HINT_KEY);
  } catch { /* storage is closed to scripts: the server is asked on each page */ }
}

export const session = new Session();
