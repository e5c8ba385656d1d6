// @ts-check
/**
 * What is said of an order: its number, its buyer, its state, and whether the bell rang for it.
 * Not for: what is done to it (pages/order.js).
 *
 * @import { AdminOrder } from './api.js'
 */

import { el } from '../../js/dom.js';
import { icon, roomIcon } from './icons.js';
import { badge } from './pieces.js';
import { has, t } from './i18n.js';

/** @param {AdminOrder} order */
export const orderName = (order) => order.number ? `#${order.number}` : `#${order.orderId}`;

/** @param {AdminOrder} order */
export const buyerName = (order) => order.buyer?.nickname ?? order.buyerName ?? t('order.nobody');

/** @param {AdminOrder} order */
export const goodsNames = ({ items }) => items.length > 1 ? t('order.and-more', { name: items[0].name, count: items.length - 1 }) : items[0]?.name ?? '';

/** @param {string} status */
export function statusBadge(status) {
  return el('span', { data: { role: 'order-status', status } },
    badge(has(`order.status.${status}`) ? t(`order.status.${status}`) : status, status === 'placed' ? 'good' : status === 'canceled' ? '' : 'warn'));
}

/** @param {AdminOrder} order */
export function bellBadge(order) {
  if (order.announced) return badge(t('order.rang'), 'good', icon('bell'));
  return badge(t('order.silent'), '', roomIcon('mute'));
}

/**
 * Why the bell did not ring, as a sentence; that it did, where it did.
 * @param {AdminOrder} order
 */
export function bellSentence(order) {
  if (order.announced) return t(order.status === 'canceled' ? 'order.why.withdrawn' : 'order.why.told');
  const key = `silence.${order.silence}`;
  if (order.silence && has(key)) return t(key);
  return order.silence ? t('silence.code', { code: order.silence }) : t('silence.unknown');
}
