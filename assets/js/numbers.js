// @ts-check
/**
 * Numbers as people type them, in the digits of any script.
 * Not for: how they are written for the reader (money.js, i18n.js).
 */

/** More digits than that a double does not hold exactly. */
const MAX_DIGITS = 15;
const GROUPED = /^\d{1,3}(?:[ ,.'’٬]\d{2,3})*[ ,.'’٬]\d{3}$/;

/**
 * The same text with the digits 0 to 9, without forms that only look different (full width) and marks that are not seen.
 * @param {string} text
 */
export function asciiDigits(text) {
  return text.normalize('NFKC').replace(/\p{Cf}/gu, '').trim().replace(/\p{Nd}/gu, digitValue);
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

/**
 * A price: with or without groups and decimals, whichever signs the writer's country has for them, and perhaps with the
 * currency's sign. One sign before three digits is of a group, unless the currency has three decimals.
 * @param {string} text
 * @param {number} decimals of the currency
 * @returns {number | null} major unit; null for what cannot be read
 */
export function parsePrice(text, decimals) {
  const plain = asciiDigits(text).replace(/^\p{Sc}\s*|\s*\p{Sc}$/gu, '').replace(/\s/gu, ' ');
  const mark = decimalMark(plain, decimals);
  const [whole, fraction = ''] = mark === null ? [plain] : [plain.slice(0, mark), plain.slice(mark + 1)];
  if (fraction.length > decimals || !/^\d*$/.test(fraction) || (mark !== null && fraction === '')) return null;
  if (whole !== '' && !/^\d+$/.test(whole) && !isGrouped(whole)) return null;
  const digits = whole.replace(/\D/g, '');
  if (digits + fraction === '' || digits.length + fraction.length > MAX_DIGITS) return null;
  return Number(`${digits || '0'}.${fraction || '0'}`);
}

/**
 * Where the decimals begin: at the last sign, if it comes once and is not one between groups.
 * @param {string} text
 * @param {number} decimals
 * @returns {number | null}
 */
function decimalMark(text, decimals) {
  const last = Math.max(text.lastIndexOf('.'), text.lastIndexOf(','), text.lastIndexOf('٫'));
  if (last < 0) return null;
  const sign = text[last];
  if (sign === '٫') return last;
  if (text.indexOf(sign) !== last) return null;
  const behind = text.length - last - 1;
  const isGroup = /^[1-9]\d{0,2}$/.test(text.slice(0, last));
  return behind === 3 && isGroup && decimals < 3 ? null : last;
}

/** With one sign between all groups. @param {string} whole */
const isGrouped = (whole) => GROUPED.test(whole) && new Set(whole.replace(/\d/g, '')).size === 1;
