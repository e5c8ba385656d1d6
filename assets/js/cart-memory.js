// @ts-check
/**
 * What was in a member's cart when it was read last: the server takes goods that leave the shop out of all carts, and
 * without this they would leave without a word.
 * Not for: the cart itself (session.js).
 *
 * @import { Line } from './api.js'
 *
 * @typedef {{goodsId: number, name: string}} Named
 */

const STORAGE_KEY = 'shopbell.cart';
const MAX_GONE = 20;

/**
 * What is missing from a cart that was just read: taken out or ordered on another device, or no longer sold.
 * @param {number} userId
 * @param {Line[]} cart
 */
export function missingFrom(userId, cart) {
  const present = new Set(cart.map(({ goods }) => goods.goodsId));
  return read(userId).lines.filter(({ goodsId }) => !present.has(goodsId));
}

/**
 * @param {number} userId
 * @param {Line[]} cart
 * @param {Named[]} gone what is no longer sold, to be told
 */
export function rememberCart(userId, cart, gone) {
  const earlier = read(userId).gone.filter(({ goodsId }) => !gone.some((line) => line.goodsId === goodsId));
  const lines = cart.map(({ goods }) => ({ goodsId: goods.goodsId, name: goods.name }));
  write(userId, lines, [...earlier, ...gone].slice(-MAX_GONE));
}

/**
 * What is no longer sold, until `forgetGone`.
 * @param {number} userId
 */
export const goneFromCart = (userId) => read(userId).gone;

/** @param {number} userId */
export function forgetGone(userId) { write(userId, read(userId).lines, []); }

/**
 * The member took something out, or ordered everything: it will not be missing.
 * @param {number} userId
 * @param {number} [goodsId]
 */
export function forgetLines(userId, goodsId) {
  const { lines, gone } = read(userId);
  write(userId, goodsId === undefined ? [] : lines.filter((line) => line.goodsId !== goodsId), gone);
}

/**
 * @param {number} userId
 * @returns {{lines: Named[], gone: Named[]}}
 */
function read(userId) {
  try {
    const kept = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null');
    if (kept?.userId === userId && Array.isArray(kept.lines) && Array.isArray(kept.gone)) return kept;
  } catch { /* not readable: nothing is known */ }
  return { lines: [], gone: [] };
}

/**
 * @param {number} userId
 * @param {Named[]} lines
 * @param {Named[]} gone
 */
function write(userId, lines, gone) {
  try { localStorage.setItem(STORAGE_KEY, JSON.stringify({ userId, lines, gone })); } catch { /* then nothing is told */ }
}
