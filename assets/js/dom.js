// @ts-check
/**
 * Building elements by calls: text is always text, never markup, and no style attribute.
 * Not for: the shop's own pieces (elements/, states.js) or the paths of icons (icons.js).
 *
 * @typedef {Node | string | number | null | undefined | false} Child left out when null, undefined or false
 * @typedef {string | number | boolean | null | undefined} Value left out when null, undefined or false; true is an
 *   empty attribute
 *
 * @typedef {object} Groups
 * @property {Record<string, Value>} [data] data-*, by names in camel case
 * @property {Record<string, Value>} [aria] aria-*
 * @property {{[Type in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Type]) => void}} [on] listeners
 *
 * @typedef {Groups & Record<string, unknown>} Props groups of attributes; every other name is an attribute with a Value
 */

/**
 * @template {string} Tag
 * @typedef {Tag extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag] : HTMLElement} ElementOf
 */

/**
 * Makes an element.
 * @template {string} Tag
 * @param {Tag} tag
 * @param {Props} [props]
 * @param {...(Child | Child[])} children
 * @returns {ElementOf<Tag>}
 */
export function el(tag, { data = {}, aria = {}, on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  for (const [name, value] of Object.entries(aria)) setAttribute(element, `aria-${name}`, value);
  for (const [name, value] of Object.entries(data)) if (isGiven(value)) element.dataset[name] = String(value);
  for (const [type, listener] of Object.entries(on)) element.addEventListener(type, /** @type {EventListener} */ (listener));
  element.append(...nodes(children));
  return /** @type {ElementOf<Tag>} */ (element);
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {unknown} value
 */
function setAttribute(element, name, value) {
  if (isGiven(value)) element.setAttribute(name, value === true ? '' : String(value));
}

/** @param {unknown} value */
const isGiven = (value) => value !== null && value !== undefined && value !== false;

/** @param {(Child | Child[])[]} children */
const nodes = (children) => children.flat().filter(isGiven).map((child) => child instanceof Node ? child : String(child));

/** The page's own region between header and footer. */
export const main = () => /** @type {HTMLElement} */ (document.querySelector('main'));

/**
 * Replaces the page's content; a heading with data-focus gets the focus.
 * @param {...(Child | Child[])} children
 */
export function show(...children) {
  main().replaceChildren(...nodes(children));
  main().removeAttribute('aria-busy');
  /** @type {HTMLElement | null} */ (main().querySelector('[data-focus]'))?.focus();
}

/**
 * Puts off `work` until it was not asked for during `ms`.
 * @param {() => void} work
 * @param {number} ms
 * @returns {() => void}
 */
export function debounce(work, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  };
}
