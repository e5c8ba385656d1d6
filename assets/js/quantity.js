// @ts-check
/**
 * A number of pieces as people type it.
 * Not for: how many there are (stock.js) or the field itself (elements/quantity-stepper.js).
 */

/**
 * A whole number in the digits of any script. A fraction, a sign or a word is no quantity: to guess what was meant would
 * order something else.
 * @param {string} text
 * @returns {number | null}
 */
export function parseQuantity(text) {
  const digits = text.normalize('NFKC').trim().replace(/\p{Nd}/gu, digitValue);
  return /^[0-9]{1,9}$/.test(digits) ? Number(digits) : null;
}

/**
 * Unicode has the ten digits of a script in one row, zero first.
 * @param {string} digit
 */
function digitValue(digit) {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String(code - zero);
}
