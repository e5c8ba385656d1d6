// @ts-check
/**
 * Prices: exact sums and how they are written.
 * Not for: deciding a price; the server's counts, a total here is a preview.
 */

import { lang } from './i18n.js';

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();
/** In how many decimals the server counts: browsers differ from it, and from each other. @type {Map<string, number>} */
const decimalsOf = new Map();
const MAX_DECIMALS = 8;

/**
 * What the server says of a currency; anything that is no number of decimals is ignored.
 * @param {unknown} currency ISO 4217
 * @param {unknown} decimals
 */
export function setDecimals(currency, decimals) {
  if (typeof currency !== 'string' || !Number.isInteger(decimals)) return;
  decimalsOf.set(currency, Math.min(MAX_DECIMALS, Math.max(0, Number(decimals))));
  formats.delete(currency);
}

/** @param {string} currency ISO 4217 */
function formatFor(currency) {
  const made = formats.get(currency) ?? new Intl.NumberFormat(lang, { style: 'currency', currency, ...digitsOf(currency) });
  formats.set(currency, made);
  return made;
}

/**
 * Where readers expect fewer decimals than the shop counts in, a whole amount is written without any.
 * @param {string} currency ISO 4217
 * @returns {Intl.NumberFormatOptions}
 */
function digitsOf(currency) {
  const decimals = decimalsOf.get(currency);
  if (decimals === undefined) return {};
  const usual = new Intl.NumberFormat(lang, { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return {
    minimumFractionDigits: decimals, maximumFractionDigits: decimals,
    trailingZeroDisplay: usual < decimals ? 'stripIfInteger' : 'auto',
  };
}

/**
 * @param {number} price
 * @returns {number} of decimals that it is written with
 */
const writtenDecimals = (price) => Math.min(MAX_DECIMALS, /\.(\d+)$/.exec(String(price))?.[1].length ?? 0);

/**
 * @param {number} price major unit
 * @param {string} currency ISO 4217
 * @returns {string}
 */
export function formatPrice(price, currency) {
  try { return formatFor(currency).format(price); } catch { return `${price} ${currency}`; }
}

/**
 * Adds in minor units, because 0.1 + 0.2 is not 0.3.
 * @param {{price: number, quantity: number}[]} lines
 * @param {string} currency ISO 4217
 * @returns {number} major unit
 */
export function total(lines, currency) {
  let digits = 2;
  try { digits = formatFor(currency).resolvedOptions().maximumFractionDigits ?? 2; } catch { /* an unknown currency */ }
  // A price is never rounded before it is multiplied, whatever the browser thinks of its currency.
  digits = Math.max(digits, ...lines.map(({ price }) => writtenDecimals(price)));
  const scale = 10 ** digits;
  return lines.reduce((sum, line) => sum + Math.round(line.price * scale) * line.quantity, 0) / scale;
}
