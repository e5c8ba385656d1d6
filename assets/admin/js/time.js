// @ts-check
/**
 * Times as people say them ("3 min. ago"), with the exact one on hover, by the server's clock.
 * Not for: durations of a setting.
 */

import { el } from '../../js/dom.js';
import { lang, t } from './i18n.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Older than this a date says more. */
const RELATIVE_FOR = 6 * DAY;
const TICK_MS = 20 * SECOND;

const relative = new Intl.RelativeTimeFormat(lang, { numeric: 'auto', style: 'short' });
const date = new Intl.DateTimeFormat(lang, { dateStyle: 'medium' });
const exact = new Intl.DateTimeFormat(lang, { dateStyle: 'full', timeStyle: 'long' });

/** The server's clock less this one, ms. */
let offset = 0;

/** @param {unknown} iso what the server's clock says now */
export function tellServerTime(iso) {
  const at = typeof iso === 'string' ? Date.parse(iso) : Number.NaN;
  if (!Number.isNaN(at)) offset = at - Date.now();
}

/** The server's clock, epoch ms. */
export const now = () => Date.now() + offset;

/**
 * @param {string} iso
 * @returns {string} relative for some days, then the date
 */
export function ago(iso) {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return '';
  const age = now() - at;
  const size = Math.abs(age);
  if (size < 45 * SECOND) return t('time.now');
  if (size < HOUR) return relative.format(-Math.round(age / MINUTE) || -1, 'minute');
  if (size < DAY) return relative.format(-Math.round(age / HOUR), 'hour');
  if (size < RELATIVE_FOR) return relative.format(-Math.round(age / DAY), 'day');
  return date.format(at);
}

/**
 * @param {string | null | undefined} iso
 * @returns {HTMLElement | string} nothing where there is no time
 */
export function timeTag(iso) {
  if (!iso || Number.isNaN(Date.parse(iso))) return '';
  start();
  return el('time', { datetime: iso, title: exact.format(Date.parse(iso)), data: { relative: '' } }, ago(iso));
}

/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

/** One timer for all times of a page. */
function start() {
  timer ??= setInterval(() => {
    if (document.hidden) return;
    for (const tag of /** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll('time[data-relative]'))) {
      const text = ago(tag.dateTime);
      if (tag.textContent !== text) tag.textContent = text;
    }
  }, TICK_MS);
}
