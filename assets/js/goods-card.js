// @ts-check
/**
 * One goods of a grid as a card, and how it takes a live change.
 * Not for: which goods are listed (catalog.js).
 */

import { el } from './dom.js';
import { categoryName } from './format.js';
import { formatPrice } from './money.js';
import { picture } from './picture.js';
import { stockLine } from './stock.js';

/** @import { Goods } from './api.js' */

/**
 * @param {Goods} goods
 * @param {{eager?: boolean}} [options] eager: load the picture at once
 */
export function goodsCard(goods, options = {}) {
  return el('article', { class: 'goods-card', data: { goodsId: goods.goodsId } },
    el('div', { class: 'goods-card-frame' }, picture(goods, options)),
    el('div', { class: 'goods-card-text' },
      el('p', { class: 'goods-card-category' }, categoryName(goods.category)),
      el('h3', { class: 'goods-card-name' }, el('a', { href: `/detail.html?goodsId=${goods.goodsId}` }, goods.name)),
      el('div', { class: 'goods-card-foot' },
        el('span', { class: 'price', data: { role: 'price' } }, formatPrice(goods.price, goods.currency)),
        stockLine(goods.stock, { quietly: true }))));
}

/**
 * Replaces a card in its place, with a short highlight.
 * @param {HTMLElement} card
 * @param {Goods} goods
 */
export function updateCard(card, goods) {
  const updated = goodsCard(goods, { eager: true });
  const hadFocus = card.contains(document.activeElement);
  updated.classList.add('is-updated');
  card.replaceWith(updated);
  if (hadFocus) updated.querySelector('a')?.focus();
}

/**
 * Placeholders for cards that are being loaded.
 * @param {number} count
 */
export function skeletonCards(count) {
  return Array.from({ length: count }, () => el('div', { class: 'goods-card skeleton-card', aria: { hidden: 'true' } },
    el('div', { class: 'goods-card-frame skeleton' }),
    el('div', { class: 'goods-card-text' },
      el('span', { class: 'skeleton skeleton-line short' }), el('span', { class: 'skeleton skeleton-line' }),
      el('span', { class: 'skeleton skeleton-line short' }))));
}
