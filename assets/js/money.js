/**
 * Prices: exact sums and how they are written.
 * Not for: deciding a price; the server's counts, a total here is a preview.
 */

import { lang } from './i18n.js';

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();
/** What the server counts in; browsers disagree with it, and with each other. @type {Map<string, number>} */
const decimalsOf = new Map();
const MAX_DECIMALS = 8;

/** The server's word on a currency's decimals. @param {unknown} currency ISO 4217 @param {unknown} decimals */
export function setDecimals(currency, decimals) {
  if (typeof currency !== 'string' || !Number.isInteger(decimals)) return;
  decimalsOf.set(currency, Math.min(MAX_DECIMALS, Math.max(0, Number(decimals))));
  formats.delete(currency);
}

function formatFor(currency) {
  if (!formats.has(currency)) {
    formats.set(currency, new Intl.NumberFormat(lang, { style: 'currency', currency, ...digitsOf(currency) }));
  }
  return /** @type {Intl.NumberFormat} */ (formats.get(currency));
}

/** Where readers expect fewer decimals than the shop counts, a whole amount is shown without any. */
function digitsOf(currency) {
  const decimals = decimalsOf.get(currency);
  if (decimals === undefined) return {};
  const usual = new Intl.NumberFormat(lang, { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return /** @type {Intl.NumberFormatOptions} */ ({
    minimumFractionDigits: decimals, maximumFractionDigits: decimals,
    ...(usual < decimals ? { trailingZeroDisplay: 'stripIfInteger' } : {}),
  });
}

/** The decimals that a number is written with. @param {number} price */
function writtenDecimals(price) {
  return Math.min(MAX_DECIMALS, /\.(\d+)$/.exec(String(price))?.[1].length ?? 0);
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
  // A price is never rounded before it is multiplied, whatever the browser thinks of its currency.
  digits = Math.max(digits, ...lines.map(({ price }) => writtenDecimals(price)));
  const scale = 10 ** digits;
  return lines.reduce((sum, line) => sum + Math.round(line.price * scale) * line.quantity, 0) / scale;
}
