/**
 * Prices: exact sums and how they are written.
 * Not for: deciding a price; the server's counts, a total here is a preview.
 */

import { lang } from './i18n.js';

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

function formatFor(currency) {
  if (!formats.has(currency)) {
    formats.set(currency, new Intl.NumberFormat(lang, { style: 'currency', currency }));
  }
  return /** @type {Intl.NumberFormat} */ (formats.get(currency));
}

/** @param {number} price major unit @param {string} currency ISO 4217 */
export function money(price, currency) {
  try { return formatFor(currency || 'USD').format(price); } catch { return `${price} ${currency}`; }
}

/**
 * Adds in minor units, because 0.1 + 0.2 isn't 0.3.
 * @param {{price: number, quantity: number}[]} lines
 * @param {string} currency
 * @returns {number} major unit
 */
export function total(lines, currency) {
  let digits = 2;
  try { digits = formatFor(currency || 'USD').resolvedOptions().maximumFractionDigits ?? 2; } catch { /* unknown code */ }
  const scale = 10 ** digits;
  return lines.reduce((sum, line) => sum + Math.round(line.price * scale) * line.quantity, 0) / scale;
}
