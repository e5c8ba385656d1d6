// @ts-check
/**
 * Puts what a guest had in the cart into the cart of the member who has logged in. Nothing is lost on the way: a line leaves
 * the guest's cart when the server has it, and what the server did not take is tried again with the next page.
 * Not for: either cart (guest-cart.js, session.js) or saying what became of it (cart-watch.js).
 *
 * @import { Line } from './api.js'
 * @import { GuestLine } from './guest-cart.js'
 *
 * @typedef {object} Merged
 * @property {GuestLine[]} added
 * @property {GuestLine[]} capped those of `added` that would have been more than fit a line
 * @property {GuestLine[]} gone what the shop does not have any more
 * @property {unknown} failure why the rest waits, if some does
 */

import { api, ApiError, MAX_QUANTITY } from './api.js';
import { guestLines, removeGuestLine, writeGuestLines } from './guest-cart.js';
import { exclusively } from './locks.js';

const LOCK = 'shopbell.cart-merge';

/**
 * @param {number} userId
 * @returns {Promise<Merged | null>} null: there was nothing to merge
 */
export function mergeGuestCart(userId) {
  // Two tabs hear of a log-in at once.
  return exclusively(LOCK, async () => {
    if (guestLines().length === 0) return null;
    /** @type {Merged} */
    const merged = { added: [], capped: [], gone: [], failure: null };
    try {
      const cart = await api.cart();
      writeGuestLines(planMerge(guestLines(), cart, userId));
      for (const line of guestLines()) await mergeLine(line, cart, merged);
    } catch (error) {
      merged.failure = error;
    }
    return merged;
  });
}

/**
 * Decides how much of each goods the member's cart will hold. What was decided before stands: it may be there already.
 * @param {GuestLine[]} lines
 * @param {Line[]} cart of the member
 * @param {number} userId
 * @returns {GuestLine[]}
 */
export function planMerge(lines, cart, userId) {
  return lines.map((line) => line.merge?.userId === userId ? line : {
    ...line, merge: { userId, quantity: Math.min(MAX_QUANTITY, quantityIn(cart, line.goodsId) + line.quantity) },
  });
}

/**
 * @param {GuestLine} line with its plan
 * @param {Line[]} cart
 * @param {Merged} merged told what became of the line
 */
async function mergeLine(line, cart, merged) {
  const before = quantityIn(cart, line.goodsId);
  const planned = line.merge?.quantity ?? line.quantity;
  try {
    if (planned > before) await api.setInCart(line.goodsId, planned);
    merged.added.push(line);
    if (planned === MAX_QUANTITY && before + line.quantity > MAX_QUANTITY) merged.capped.push(line);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    merged.gone.push(line);
  }
  removeGuestLine(line.goodsId);
}

/**
 * @param {Line[]} cart
 * @param {number} goodsId
 */
const quantityIn = (cart, goodsId) => cart.find((line) => line.goods.goodsId === goodsId)?.quantity ?? 0;
