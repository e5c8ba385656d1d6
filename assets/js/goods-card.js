/**
 * One goods of a grid as a card, and how it takes a live change.
 * Not for: which goods are listed (catalogue.js).
 */

import { el } from './dom.js';
import { categoryName } from './format.js';
import { money } from './money.js';
import { picture } from './picture.js';
import { stockLine } from './stock.js';

/** @param {any} goods @param {{eager?: boolean}} [options] @returns {HTMLElement} */
export function goodsCard(goods, options = {}) {
  return el('article', { class: 'goods-card', data: { goodsId: goods.goodsId } },
    el('div', { class: 'goods-card-frame' }, picture(goods, options)),
    el('div', { class: 'goods-card-text' },
      el('p', { class: 'goods-card-category' }, categoryName(goods.category)),
      el('h3', { class: 'goods-card-name' },
        el('a', { href: `/detail.html?goodsId=${encodeURIComponent(goods.goodsId)}` }, goods.name)),
      el('div', { class: 'goods-card-foot' },
        el('span', { class: 'price', data: { role: 'price' } }, money(goods.price, goods.currency)),
        stockLine(goods.stock, { quietly: true }))));
}

/** Replaces a card where it stands; a reader sees a short highlight where the number changed. */
export function updateCard(card, goods) {
  const fresh = goodsCard(goods, { eager: true });
  const hadFocus = card.contains(document.activeElement);
  fresh.classList.add('is-updated');
  card.replaceWith(fresh);
  if (hadFocus) fresh.querySelector('a')?.focus();
}

/** Room for cards that are on their way. */
export function skeletonCards(/** @type {number} */ count) {
  return Array.from({ length: count }, () => el('div', { class: 'goods-card skeleton-card', aria: { hidden: 'true' } },
    el('div', { class: 'goods-card-frame skeleton' }),
    el('div', { class: 'goods-card-text' },
      el('span', { class: 'skeleton skeleton-line short' }), el('span', { class: 'skeleton skeleton-line' }),
      el('span', { class: 'skeleton skeleton-line short' }))));
}
