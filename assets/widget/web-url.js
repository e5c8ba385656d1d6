// @ts-check
/**
 * Which addresses of an alert a page may use.
 * Not for: what it does with them (view.js).
 */

/**
 * An address that a page may link to or show: http(s) and nothing else, whatever an alert says.
 * @param {unknown} text
 * @param {string} [base] what a path is one of; without it a path is nothing
 * @returns {string | null}
 */
export function webUrl(text, base) {
  try {
    const { href, protocol } = new URL(/** @type {string} */ (text), base);
    return text && typeof text === 'string' && /^https?:$/.test(protocol) ? href : null;
  } catch { return null; }
}
