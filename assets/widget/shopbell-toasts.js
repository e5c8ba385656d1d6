// @ts-check
/**
 * The embeddable purchase toasts: registers <shopbell-toasts>.
 * Not for: the element itself (element.js), so that a page may register it by another name.
 *
 *   <script type="module" src="https://shop.example/widget/shopbell-toasts.js"></script>
 *   <shopbell-toasts></shopbell-toasts>
 */

import { ShopbellToasts } from './element.js';

if (!customElements.get('shopbell-toasts')) customElements.define('shopbell-toasts', ShopbellToasts);

export { ShopbellToasts };
