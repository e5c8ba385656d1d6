// @ts-check
/**
 * Dates and category names as the reader's language writes them.
 * Not for: money (money.js) or messages (i18n.js).
 */

import { has, lang, t } from './i18n.js';

const dateTime = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short' });
const time = new Intl.DateTimeFormat(lang, { timeStyle: 'short' });
const day = new Intl.DateTimeFormat(lang, { dateStyle: 'long' });

/** @param {string} iso */
export const formatDateTime = (iso) => format(dateTime, iso);

/** @param {string} iso */
export const formatTime = (iso) => format(time, iso);

/** @param {string} iso */
export const formatDay = (iso) => format(day, iso);

/**
 * @param {Intl.DateTimeFormat} formatter
 * @param {string} iso
 */
function format(formatter, iso) {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? '' : formatter.format(date);
}

/**
 * The translated name of a category that has a translation, else its name with a capital.
 * @param {string} category
 */
export function categoryName(category) {
  const key = `category.${category}`;
  if (has(key)) return t(key);
  return category.charAt(0).toLocaleUpperCase(lang) + category.slice(1);
}
