// @ts-check
/**
 * What was in a cart when it was read last, and what is still to be told about it: the server takes goods that leave the shop
 * out of all carts, and without this they would leave without a word.
 * Not for: the cart itself (session.js).
 *
 * @import { Line } from './api.js'
 *
 * @typedef {{goodsId: number, name: string}} Named
 * @typedef {Named & {short?: boolean}} Remembered `short`: there were fewer of the goods than the cart wants
 * @typedef {Named & {kind: 'gone' | 'capped' | 'added', quantity?: number}} Note `added`: came from the guest's cart;
 *   `capped`: and there were more than fit
 */

const STORAGE_KEY = 'shopbell.cart';
const MAX_NOTES = 20;
/** Whose cart it is while nobody is logged in. */
export const GUEST = 0;

/**
 * What is missing from a cart that was just read: taken out or ordered on another device, or no longer sold.
 * @param {number} userId
 * @param {Line[]} cart
 * @returns {Named[]}
 */
export function missingFrom(userId, cart) {
  const present = new Set(cart.map(({ goods }) => goods.goodsId));
  return read(userId).lines.filter(({ goodsId }) => !present.has(goodsId)).map(({ goodsId, name }) => ({ goodsId, name }));
}

/**
 * @param {number} userId
 * @param {Line[]} cart
 * @param {Named[]} [unsure] is not in it, and it could not be found out why: it is missed again the next time
 * @returns {Line[]} those of which there have become too few since the cart was remembered last
 */
export function rememberCart(userId, cart, unsure = []) {
  const { lines, notes } = read(userId);
  const wasShort = new Set(lines.filter(({ short }) => short).map(({ goodsId }) => goodsId));
  const present = cart.map((line) => ({ goodsId: line.goods.goodsId, name: line.goods.name, short: isShort(line) }));
  write(userId, [...present, ...unsure], notes);
  return cart.filter((line) => isShort(line) && !wasShort.has(line.goods.goodsId));
}

/** @param {Line} line */
export const isShort = ({ goods, quantity }) => goods.stock !== null && goods.stock < quantity;

/**
 * Keeps what is to be told on the cart page, until `forgetNotes`.
 * @param {number} userId
 * @param {Note[]} notes
 */
export function addNotes(userId, notes) {
  if (notes.length === 0) return;
  const kept = read(userId);
  const isNew = (/** @type {Note} */ note) => !notes.some(({ kind, goodsId }) => kind === note.kind && goodsId === note.goodsId);
  write(userId, kept.lines, [...kept.notes.filter(isNew), ...notes].slice(-MAX_NOTES));
}

/** @param {number} userId */
export const notesOf = (userId) => read(userId).notes;

/** @param {number} userId */
export function forgetNotes(userId) { write(userId, read(userId).lines, []); }

/**
 * Someone took something out, or ordered everything: it will not be missing.
 * @param {number} userId
 * @param {number} [goodsId]
 */
export function forgetLines(userId, goodsId) {
  const { lines, notes } = read(userId);
  write(userId, goodsId === undefined ? [] : lines.filter((line) => line.goodsId !== goodsId), notes);
}

/**
 * @param {number} userId
 * @returns {{lines: Remembered[], notes: Note[]}}
 */
function read(userId) {
  try {
    const kept = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null');
    if (kept?.userId === userId && Array.isArray(kept.lines) && Array.isArray(kept.notes)) {
      return { lines: kept.lines.filter(isNamed), notes: kept.notes.filter(isNamed) };
    }
  } catch { /* not readable: nothing is known */ }
  return { lines: [], notes: [] };
}

/** Storage may hold anything. @param {any} one */
const isNamed = (one) => Number.isSafeInteger(one?.goodsId) && typeof one.name === 'string';

/**
 * @param {number} userId
 * @param {Remembered[]} lines
 * @param {Note[]} notes
 */
function write(userId, lines, notes) {
  try { localStorage.setItem(STORAGE_KEY, JSON.stringify({ userId, lines, notes })); } catch { /* then nothing is told */ }
}
