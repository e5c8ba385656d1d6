// @ts-check
/**
 * The embeddable purchase toasts: registers <shopbell-toasts>.
 * Not for: the element itself (element.js), so that a page may register it by another name.
 *
 *   <script type="module" src="https://shop.example/widget/shopbell-toasts.js"></script>
 *   <shopbell-toasts></shopbell-toasts>
 *
 * On a page of another shop the script alone will do, with a listen key and any attribute of the element as `data-`:
 *
 *   <script type="module" src="https://shop.example/widget/shopbell-toasts.js" data-key="lk_…" data-position="top-end"></script>
 */

import { ShopbellToasts } from './element.js';

const NAME = 'shopbell-toasts';
if (!customElements.get(NAME)) customElements.define(NAME, ShopbellToasts);

embed();

/** Puts the element into a page whose script has a key. A module knows its script by the address alone. */
function embed() {
  const scripts = [...document.querySelectorAll('script')];
  const script = scripts.find(({ src, dataset }) => src === import.meta.url && dataset.key);
  if (!script || document.querySelector(NAME)) return;
  const toasts = document.createElement(NAME);
  for (const [name, value] of Object.entries(script.dataset)) {
    if (value !== undefined) toasts.setAttribute(name, value);
  }
  // A script with `async` may be here before the body.
  (document.body ?? document.documentElement).append(toasts);
}

export { ShopbellToasts };
