/**
 * A number of pieces as people type it.
 * Not for: how many there are (stock.js) or the field itself (elements/quantity-stepper.js).
 */

export const MOST = 999;

/**
 * A whole number in digits of any script, or null: a fraction, a sign or a word is not a quantity, and guessing what
 * was meant would order something else.
 * @param {string | null | undefined} text
 * @returns {number | null}
 */
export function wholeNumber(text) {
  const digits = String(text ?? '').normalize('NFKC').trim().replace(/\p{Nd}/gu, valueOf);
  return /^[0-9]{1,9}$/.test(digits) ? Number(digits) : null;
}

/** Unicode keeps the ten digits of a script in one row, zero first. @param {string} digit */
function valueOf(digit) {
  const code = /** @type {number} */ (digit.codePointAt(0));
  let zero = code;
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String(code - zero);
}
