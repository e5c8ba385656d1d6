// @ts-check
/**
 * Dates and category names as the reader's language writes them.
 * Not for: money (money.js) or messages (i18n.js).
 */

import { has, lang, t } from './i18n.js';

const dateTime = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short' });
const time = new Intl.DateTimeFormat(lang, { timeStyle: 'short' });
const ago = new Intl.RelativeTimeFormat(lang, { style: 'short', numeric: 'always' });
const day = new Intl.DateTimeFormat(lang, { dateStyle: 'long' });

/** @param {string} iso */
export const formatDateTime = (iso) => format(dateTime, iso);

/**
 * How long ago that was, in the largest unit that fits.
 * @param {string} iso
 * @param {number} now by the clock that made it, epoch ms
 */
export function formatAgo(iso, now) {
  const minutes = Math.floor((now - Date.parse(iso)) / 60_000);
  if (Number.isNaN(minutes)) return '';
  if (minutes < 1) return t('time.now');
  if (minutes < 60) return ago.format(-minutes, 'minute');
  return minutes < 24 * 60 ? ago.format(-Math.floor(minutes / 60), 'hour') : ago.format(-Math.floor(minutes / (24 * 60)), 'day');
}

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
