// @ts-check
/**
 * The embeddable purchase toasts, served as one file at `/toast.js` and under this name: registers <shopbell-toasts>, and
 * puts one into a page that has none.
 *
 *   <script type="module" src="https://shop.example/toast.js" data-key="lk_…" data-position="top-end"></script>
 *
 * `data-` before them, the script takes all attributes of the element.
 */

import { NAME, ShopbellToasts } from './define.js';

/** Puts the element into the page. A module knows its script by the address alone. */
function embed() {
  const script = [...document.querySelectorAll('script')].find(({ src }) => src === import.meta.url);
  if (!script || document.querySelector(NAME)) return;
  const toasts = document.createElement(NAME);
  for (const { name, value } of script.attributes) {
    if (name.startsWith('data-')) toasts.setAttribute(name.slice(5), value);
  }
  // A script with `async` may be here before the body.
  (document.body ?? document.documentElement).append(toasts);
}

embed();

export { ShopbellToasts };
