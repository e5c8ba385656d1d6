// @ts-check
/**
 * What the widget keeps for a visitor: until when to be quiet (localStorage), and how many toasts a visit has had
 * (sessionStorage). Where a browser keeps nothing, it holds as long as the page.
 */

/** @typedef {'localStorage' | 'sessionStorage'} Place */

const KEY = 'shopbell-toasts';
/** @type {Record<string, number>} */
const here = {};

/**
 * @param {Place} place
 * @returns {number} 0 for what was never kept
 */
export function recall(place) {
  try { return Number(globalThis[place].getItem(KEY) ?? here[place] ?? 0); } catch { return here[place] ?? 0; }
}

/**
 * @param {Place} place
 * @param {number} value
 */
export function keep(place, value) {
  here[place] = value;
  try { globalThis[place].setItem(KEY, String(value)); } catch { /* then only here */ }
}
