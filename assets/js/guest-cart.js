// @ts-check
/**
 * The cart of someone who is not logged in, kept in this browser until a log-in puts it into the member's (cart-merge.js).
 * Not for: the cart of a member, which the server has.
 *
 * @typedef {object} GuestLine
 * @property {number} goodsId
 * @property {string} name as it was when the goods were put in, to say what became of them
 * @property {number} quantity 1 to MAX_QUANTITY
 * @property {{userId: number, quantity: number}} [merge] what this member's cart is to hold of the goods: decided once, so
 *   that a log-in that was cut off adds nothing twice
 */

import { ApiError, MAX_QUANTITY } from './api.js';
import { t } from './i18n.js';

const STORAGE_KEY = 'shopbell.guest-cart';
/** As many as an order has at most. */
const MAX_LINES = 100;

/** Where storage is closed to scripts the cart lasts as long as the page. @type {GuestLine[]} */
let inMemory = [];

/** @returns {GuestLine[]} in the order in which they were put in */
export function guestLines() {
  let text;
  try { text = localStorage.getItem(STORAGE_KEY); } catch { return inMemory; }
  try {
    const kept = JSON.parse(text ?? '[]');
    return Array.isArray(kept) ? kept.filter(isLine) : [];
  } catch { return []; }
}

/** @param {GuestLine[]} lines */
export function writeGuestLines(lines) {
  inMemory = lines;
  try {
    if (lines.length) localStorage.setItem(STORAGE_KEY, JSON.stringify(lines));
    else localStorage.removeItem(STORAGE_KEY);
  } catch { /* kept in memory */ }
}

/**
 * @param {{goodsId: number, name: string}} goods
 * @param {number} quantity
 */
export function setGuestLine({ goodsId, name }, quantity) {
  const lines = guestLines();
  const line = { goodsId, name, quantity };
  const index = lines.findIndex((known) => known.goodsId === goodsId);
  if (index < 0 && lines.length >= MAX_LINES) throw new ApiError(0, { code: 'cart_full', errorMessage: t('cart.full', { count: MAX_LINES }) });
  if (index < 0) lines.push(line);
  else lines[index] = line;
  writeGuestLines(lines);
}

/**
 * Adds to what is in the cart already.
 * @param {{goodsId: number, name: string}} goods
 * @param {number} quantity
 */
export function addGuestLine(goods, quantity) {
  const present = guestLines().find(({ goodsId }) => goodsId === goods.goodsId)?.quantity ?? 0;
  setGuestLine(goods, Math.min(MAX_QUANTITY, present + quantity));
}

/** @param {number} goodsId */
export function removeGuestLine(goodsId) { writeGuestLines(guestLines().filter((line) => line.goodsId !== goodsId)); }

/** Storage may hold anything. @param {any} line */
function isLine(line) {
  return Number.isSafeInteger(line?.goodsId) && line.goodsId > 0 && typeof line.name === 'string'
    && Number.isInteger(line.quantity) && line.quantity >= 1 && line.quantity <= MAX_QUANTITY;
}
