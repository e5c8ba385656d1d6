// @ts-check
/**
 * A number of pieces as people type it.
 * Not for: how many there are (stock.js) or the field itself (elements/quantity-stepper.js).
 */

import { asciiDigits } from './numbers.js';

/**
 * A whole number in the digits of any script. A fraction, a sign or a word is no quantity: to guess what was meant would
 * order something else.
 * @param {string} text
 * @returns {number | null}
 */
export function parseQuantity(text) {
  const digits = asciiDigits(text);
  return /^[0-9]{1,9}$/.test(digits) ? Number(digits) : null;
}
