/**
 * A goods picture that reserves its room before it loads and has a stand-in when it fails.
 * Not for: the shop's own drawings in the style sheets.
 */

import { el } from './dom.js';

const STAND_IN = '/images/placeholder.svg';

/** @param {{name: string, thumbnailUrl: string}} goods @param {{eager?: boolean, alt?: string}} [options] */
export function picture(goods, { eager = false, alt = '' } = {}) {
  const image = /** @type {HTMLImageElement} */ (/** @type {unknown} */ (el('img', {
    class: 'goods-picture', src: goods.thumbnailUrl || STAND_IN, alt, width: 400, height: 400,
    loading: eager ? 'eager' : 'lazy', decoding: 'async', referrerpolicy: 'no-referrer',
  })));
  image.addEventListener('error', () => {
    if (!image.src.endsWith(STAND_IN)) image.src = STAND_IN;
  });
  return image;
}
