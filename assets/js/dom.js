/**
 * Building elements by calls: text is always text, never markup, and no style attribute.
 * Not for: the shop's own pieces (elements/, states.js) or icons' paths (icons.js).
 */

/**
 * @param {string} tag
 * @param {Record<string, any>} [props] `class`, `data` (dataset), `on` (listeners), `aria` (aria-*), else attributes;
 *   false, null and undefined are left out, true is an empty attribute
 * @param {...(Node | string | number | null | undefined | false | Array<any>)} children
 * @returns {HTMLElement & Record<string, any>}
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'on') for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (key === 'data') Object.assign(element.dataset, value);
    else if (key === 'aria') for (const [name, text] of Object.entries(value)) element.setAttribute(`aria-${name}`, String(text));
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The page's own region between header and footer. @returns {HTMLElement} */
export const main = () => /** @type {HTMLElement} */ (document.querySelector('main'));

/** Replaces the page's content; a heading that asks for it gets the focus. */
export function show(...children) {
  main().replaceChildren(...children.flat().filter(Boolean));
  main().removeAttribute('aria-busy');
  /** @type {HTMLElement | null} */ (main().querySelector('[data-focus]'))?.focus();
}

/** Runs `work` once things have been quiet for `ms`. */
export function debounce(work, ms) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), ms);
  };
}
