// @ts-check
/**
 * Prices: exact sums and how they are written.
 * Not for: deciding a price; the server's counts, a total here is a preview.
 */

import { lang } from './i18n.js';

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** @param {string} currency ISO 4217 */
function formatFor(currency) {
  const made = formats.get(currency) ?? new Intl.NumberFormat(lang, { style: 'currency', currency });
  formats.set(currency, made);
  return made;
}

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
  const scale = 10 ** digits;
  return lines.reduce((sum, line) => sum + Math.round(line.price * scale) * line.quantity, 0) / scale;
}
