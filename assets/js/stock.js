// @ts-check
/**
 * Stock in words: unlimited, enough, few, none.
 * Not for: reserving anything; the server decides when an order is placed.
 */

import { el } from './dom.js';
import { t } from './i18n.js';

/** From this number down the exact number is shown. */
export const LOW_STOCK = 5;

/**
 * @param {number | null} stock null: unlimited
 * @returns {'unlimited' | 'enough' | 'low' | 'none'}
 */
export function stockLevel(stock) {
  if (stock === null) return 'unlimited';
  if (stock <= 0) return 'none';
  return stock <= LOW_STOCK ? 'low' : 'enough';
}

/**
 * @param {number | null} stock
 * @param {{quietly?: boolean}} [options] quietly: a number only where it matters for a decision
 */
export function stockLine(stock, { quietly = false } = {}) {
  const level = stockLevel(stock);
  const text = quietly && level === 'enough' ? t('stock.unlimited') : t(`stock.${level}`, { count: stock ?? 0 });
  return el('span', { class: `stock stock-${level}`, data: { role: 'stock', stock: stock ?? 'unlimited' } }, text);
}
