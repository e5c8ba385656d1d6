// @ts-check
/**
 * Reads a cart, the member's or the guest's, and finds out what has left it because the shop does not have it any more.
 * Not for: keeping or telling that (cart-memory.js, cart-watch.js).
 *
 * @import { Line } from './api.js'
 * @import { Named } from './cart-memory.js'
 *
 * @typedef {object} Read
 * @property {Line[]} cart
 * @property {Named[]} gone was there before, and is no longer sold
 * @property {Named[]} unsure was there before, and it could not be found out why it is not any more
 */

import { api, ApiError } from './api.js';
import { missingFrom } from './cart-memory.js';
import { guestLines, removeGuestLine } from './guest-cart.js';

/**
 * @param {number} userId
 * @returns {Promise<Read>}
 */
export async function readMemberCart(userId) {
  const cart = await api.cart();
  const missing = missingFrom(userId, cart);
  const sold = await Promise.all(missing.map(({ goodsId }) => api.isSold(goodsId)));
  const those = (/** @type {boolean | null} */ answer) => missing.filter((_, index) => sold[index] === answer);
  return { cart, gone: those(false), unsure: those(null) };
}

/** @returns {Promise<Read>} */
export async function readGuestCart() {
  const lines = guestLines();
  const found = await Promise.all(lines.map(({ goodsId }) => api.goods(goodsId).catch((error) => {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  })));
  /** @type {Read} */
  const read = { cart: [], gone: [], unsure: [] };
  lines.forEach(({ goodsId, name, quantity }, index) => {
    const goods = found[index];
    if (goods && goods.listed !== false) return read.cart.push({ goods, quantity });
    removeGuestLine(goodsId);
    return read.gone.push({ goodsId, name });
  });
  return read;
}
