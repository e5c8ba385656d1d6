// @ts-check
/**
 * Registers <shopbell-toasts>. Not for: a page that registers the element (element.js) by another name.
 */

import { ShopbellToasts } from './element.js';

export const NAME = 'shopbell-toasts';
if (!customElements.get(NAME)) customElements.define(NAME, ShopbellToasts);

export { ShopbellToasts };
