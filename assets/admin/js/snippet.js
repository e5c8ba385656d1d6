// @ts-check
/**
 * The line that puts the bell on a page of another shop.
 * Not for: the widget's own settings, which the shop tells it.
 */

/**
 * @param {string} key a listen key
 * @returns {string} HTML, to be shown as text
 */
export const snippet = (key) => `<script type="module" src="${location.origin}/toast.js" data-key="${key}"></script>`;
