/**
 * What lay in a member's cart when it was last read, so that goods which leave the shop do not leave the cart without a
 * word: the server takes them out of all carts.
 * Not for: the cart itself (session.js), nor for what the member took out.
 */

const KEPT = 'shopbell.cart';
const MAX_GONE = 20;

/** @typedef {{goodsId: number, name: string}} Line */

/**
 * Compares a cart that was just read with the one before.
 * @param {number} userId @param {{goods: any}[]} cart
 * @returns {Line[]} what is missing: taken out elsewhere, ordered elsewhere, or no longer sold
 */
export function missingFrom(userId, cart) {
  const before = read(userId).lines;
  const here = new Set(cart.map(({ goods }) => goods.goodsId));
  return before.filter(({ goodsId }) => !here.has(goodsId));
}

/** @param {number} userId @param {{goods: any}[]} cart @param {Line[]} gone those that are no longer sold, to be told */
export function rememberCart(userId, cart, gone) {
  const told = read(userId).gone.filter(({ goodsId }) => !gone.some((line) => line.goodsId === goodsId));
  write(userId, { lines: cart.map(({ goods }) => ({ goodsId: goods.goodsId, name: goods.name })), gone: [...told, ...gone].slice(-MAX_GONE) });
}

/** What is no longer sold and was not told yet. @param {number} userId @returns {Line[]} */
export const goneFromCart = (userId) => read(userId).gone;

/** The member has read it. @param {number} userId */
export function toldOfGone(userId) { write(userId, { lines: read(userId).lines, gone: [] }); }

/** Some lines, or all, leave by the member's own hand. @param {number} userId @param {number} [goodsId] */
export function leftByHand(userId, goodsId) {
  const { lines, gone } = read(userId);
  write(userId, { lines: goodsId === undefined ? [] : lines.filter((line) => line.goodsId !== goodsId), gone });
}

/** @returns {{lines: Line[], gone: Line[]}} */
function read(userId) {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? 'null');
    if (kept?.userId === userId && Array.isArray(kept.lines) && Array.isArray(kept.gone)) return kept;
  } catch { /* nothing that could be read */ }
  return { lines: [], gone: [] };
}

function write(userId, cart) {
  try { localStorage.setItem(KEPT, JSON.stringify({ userId, ...cart })); } catch { /* then nothing is told */ }
}
