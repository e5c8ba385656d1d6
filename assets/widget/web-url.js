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
  if (typeof text !== 'string' || text === '') return null;
  const url = parse(text, base);
  return url && ['http:', 'https:'].includes(url.protocol) ? url.href : null;
}

/**
 * @param {string} text
 * @param {string} [base]
 */
function parse(text, base) {
  try { return new URL(text, base); } catch { return null; }
}
