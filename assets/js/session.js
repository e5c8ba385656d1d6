// @ts-check
/**
 * Who is logged in and what is in their cart, or in the guest's, shared by header and pages and kept in step across tabs.
 * Not for: credentials: they are an HttpOnly cookie that no script sees. What is stored
 * here is a mere hint, so that guests are not asked for a profile that they don't have.
 *
 * Events: `user`, `cart`; `intent`, detail `{error}`: what was wanted before the log-in is in the cart, or could not be put there;
 *   `merged`, detail `Merged`: what became of the guest's cart; `changes`, detail `{gone, short}`: what the shop does not have
 *   any more, or not enough of.
 */

import { api, ApiError, MAX_QUANTITY } from './api.js';
import { GUEST, addNotes, forgetLines, isShort, notesOf, rememberCart } from './cart-memory.js';
import { readGuestCart, readMemberCart } from './cart-reading.js';
import { forgetCheckoutKey } from './checkout-key.js';
import { settledCredentials } from './credentials.js';
import { addGuestLine, guestLines, removeGuestLine, setGuestLine } from './guest-cart.js';
import { takeIntent } from './intent.js';

/**
 * @import { Goods, Line, User } from './api.js'
 * @import { Named } from './cart-memory.js'
 */

const HINT_KEY = 'shopbell.member';

class Session extends EventTarget {
  /** @type {User | null} */
  user = null;
  /** null: not known (yet); a guest's is read where it is shown. @type {Line[] | null} */
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
      if (event.data === 'cart') this.#cartChanged().catch(() => { /* the next page load tries again */ });
      if (event.data === 'user') this.refresh();
      if (event.data === 'guest') this.#setUser(null);
    });
    addEventListener('pageshow', (event) => { if (event.persisted && readHint()) this.refresh(); });
  }

  get cartCount() {
    const lines = this.user ? this.cart ?? [] : guestLines();
    return lines.reduce((sum, line) => sum + line.quantity, 0);
  }

  /** Whose cart it is, for what is remembered of it. */
  get cartOwner() { return this.user?.userId ?? GUEST; }

  /** Asks the server who is logged in. Never rejects: a failure is kept in `failure`. */
  async refresh() {
    this.failure = null;
    try {
      await settledCredentials();
      const user = await api.me();
      writeHint(true);
      if (user.userId !== this.user?.userId) await this.#takeOver(user);
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
   * @param {Goods} goods
   * @param {number} quantity
   */
  async addToCart(goods, quantity) {
    forgetCheckoutKey();
    if (this.user) await this.#addForMember(goods.goodsId, quantity);
    else addGuestLine(goods, quantity);
    await this.#cartChangedHere();
  }

  /**
   * @param {Goods} goods
   * @param {number} quantity
   */
  async setInCart(goods, quantity) {
    forgetCheckoutKey();
    if (this.user) await api.setInCart(goods.goodsId, quantity);
    else setGuestLine(goods, quantity);
    await this.#cartChangedHere();
  }

  /**
   * The reader takes goods out.
   * @param {number} goodsId
   */
  async removeFromCart(goodsId) {
    forgetCheckoutKey();
    if (this.user) await api.removeFromCart(goodsId);
    else removeGuestLine(goodsId);
    forgetLines(this.cartOwner, goodsId);
    // There may be room for what did not fit.
    if (this.user) await this.#merge(this.user);
    await this.#cartChangedHere();
  }

  /** Call after the whole cart was ordered. */
  cartOrdered() { if (this.user) forgetLines(this.user.userId); }

  /**
   * Call when goods were changed or deleted: they may be in the cart.
   * @param {'create' | 'update' | 'delete'} action
   * @param {Goods} goods
   */
  async goodsChanged(action, goods) {
    const line = this.cart?.find((one) => one.goods.goodsId === goods.goodsId);
    const quantity = line?.quantity ?? (this.user ? 0 : guestLines().find(({ goodsId }) => goodsId === goods.goodsId)?.quantity ?? 0);
    if (quantity === 0) return;
    const isGone = action === 'delete' || goods.listed === false;
    if (isGone || (!line && isShort({ goods, quantity }))) {
      await this.#reloadCart();
      return;
    }
    if (!line) return;
    line.goods = goods;
    this.#remember([], []);
    this.dispatchEvent(new Event('cart'));
  }

  /**
   * @param {number} goodsId
   * @param {number} quantity
   */
  async #addForMember(goodsId, quantity) {
    const find = (/** @type {Line[]} */ cart) => cart.find((line) => line.goods.goodsId === goodsId);
    const present = find(this.cart ?? (await api.cart()));
    try {
      if (present) await api.setInCart(goodsId, Math.min(MAX_QUANTITY, present.quantity + quantity));
      else await api.addToCart(goodsId, quantity);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'already_in_cart') throw error;
      // Another tab was quicker.
      const now = find(await api.cart());
      await api.setInCart(goodsId, Math.min(MAX_QUANTITY, (now?.quantity ?? 0) + quantity));
    }
  }

  async #cartChangedHere() {
    await this.#cartChanged();
    this.#tabs.postMessage('cart');
  }

  /** A guest's cart is read again only where it is shown: its goods are a request each. */
  async #cartChanged() {
    if (this.user || this.cart) await this.#reloadCart();
    else this.dispatchEvent(new Event('cart'));
  }

  async #reloadCart() {
    const { user } = this;
    const { cart, gone, unsure } = user ? await readMemberCart(user.userId) : await readGuestCart();
    // Somebody else's by now.
    if (user?.userId !== this.user?.userId) return this.cart ?? [];
    this.cart = cart;
    this.#remember(gone, unsure);
    this.dispatchEvent(new Event('cart'));
    return cart;
  }

  /**
   * @param {Named[]} gone what is no longer sold
   * @param {Named[]} unsure what may not be
   */
  #remember(gone, unsure) {
    addNotes(this.cartOwner, gone.map((named) => ({ ...named, kind: 'gone' })));
    const short = rememberCart(this.cartOwner, this.cart ?? [], unsure);
    if (gone.length || short.length) this.dispatchEvent(new CustomEvent('changes', { detail: { gone, short } }));
  }

  /**
   * Before anyone is told of the log-in: a page may go on to another at once.
   * @param {User} user
   */
  async #takeOver(user) {
    const intent = takeIntent(user.userId);
    if (intent || guestLines().length) {
      // Nothing of another account that was here before.
      this.user = null;
      this.cart = null;
    }
    await this.#merge(user);
    if (!intent) return;
    let error = null;
    try {
      await this.#addForMember(intent.goodsId, intent.quantity);
    } catch (refusal) {
      error = refusal;
    }
    this.dispatchEvent(new CustomEvent('intent', { detail: { error } }));
  }

  /** @param {User} user */
  async #merge({ userId }) {
    // What was still to be told the guest is told the member.
    addNotes(userId, notesOf(GUEST));
    if (guestLines().length === 0) return;
    // Most pages have nothing to merge, and are lighter without it.
    const { mergeGuestCart } = await import('./cart-merge.js');
    const merged = await mergeGuestCart(userId);
    if (!merged) return;
    for (const kind of /** @type {const} */ (['added', 'capped', 'gone'])) {
      addNotes(userId, merged[kind].map(({ goodsId, name, quantity }) => ({ goodsId, name, quantity, kind })));
    }
    this.dispatchEvent(new CustomEvent('merged', { detail: merged }));
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
