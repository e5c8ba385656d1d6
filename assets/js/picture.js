// @ts-check
/**
 * A picture of goods that takes its space before it loads, and shows a placeholder when it fails.
 * Not for: the shop's own drawings in the style sheets.
 */

import { el } from './dom.js';

/** @import { Goods } from './api.js' */

const PLACEHOLDER = '/images/placeholder.svg';

/**
 * @param {Pick<Goods, 'thumbnailUrl'>} goods
 * @param {{eager?: boolean, alt?: string}} [options]
 */
export function picture(goods, { eager = false, alt = '' } = {}) {
  const image = el('img', {
    class: 'goods-picture', src: goods.thumbnailUrl || PLACEHOLDER, alt, width: 400, height: 400,
    loading: eager ? 'eager' : 'lazy', decoding: 'async', referrerpolicy: 'no-referrer',
  });
  image.addEventListener('error', () => {
    if (!image.src.endsWith(PLACEHOLDER)) image.src = PLACEHOLDER;
  });
  return image;
}
