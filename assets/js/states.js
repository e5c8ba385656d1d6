// @ts-check
/**
 * What a page shows when it has nothing, or failed; and short notices.
 * Not for: log-ins that are needed (login-required.js), other people's purchases (../widget/).
 *
 * @typedef {object} EmptyState
 * @property {import('./icons.js').IconName} [icon]
 * @property {string} title
 * @property {string} [text]
 * @property {Node | null} [action] a link or button that leads on
 * @property {boolean} [alert] whether a screen reader says it at once
 * @property {'h1' | 'h2'} [level] of the heading
 *
 * @typedef {{href: string, text: string}} Link
 */

import { ApiError } from './api.js';
import { el } from './dom.js';
import { t } from './i18n.js';
import { icon } from './icons.js';

const NOTICE_MS = 6_000;
const STORAGE_KEY = 'shopbell.notice';

/** @param {EmptyState} state */
export function emptyState({ icon: name = 'box', title, text, action = null, alert = false, level = 'h2' }) {
  return el('div', { class: 'state', role: alert ? 'alert' : null },
    el('span', { class: 'state-icon' }, icon(name)), el(level, { class: 'state-title' }, title), text ? el('p', {}, text) : null, action);
}

/**
 * @param {string} href
 * @param {string} text
 * @param {string} [kind]
 */
export function linkButton(href, text, kind = 'primary') {
  return el('a', { class: `button button-${kind}`, href }, text);
}

/**
 * An error with a button to try again.
 * @param {unknown} error
 * @param {() => void} retry
 */
export function errorState(error, retry) {
  return emptyState({
    icon: 'alert', alert: true, title: t('error.title'), text: errorMessage(error),
    action: el('button', { type: 'button', class: 'button button-primary', on: { click: retry } }, t('error.retry')),
  });
}

/**
 * The sentence for the reader.
 * @param {unknown} error
 */
export function errorMessage(error) {
  if (!(error instanceof ApiError)) {
    console.error(error);
    return t('error.unknown');
  }
  return error.retryAfter && error.status === 429 ? `${error.message} ${t('login.wait', { seconds: error.retryAfter })}` : error.message;
}

/**
 * A confirmation that needs no answer, announced politely to screen readers.
 * @param {string} text
 * @param {Link | null} [link] that leads on
 */
export function notice(text, link = null) {
  // In the document from the start (layout.html): screen readers miss text that comes together with its region.
  const region = document.querySelector('.notices');
  const note = el('p', { class: 'notice' }, icon('check'), el('span', {}, text),
    link ? el('a', { href: link.href }, link.text) : null);
  region?.replaceChildren(note);
  setTimeout(() => note.remove(), NOTICE_MS);
}

/**
 * A notice for the page to which this one is going.
 * @param {string} text
 * @param {Link | null} [link]
 */
export function noticeOnNextPage(text, link = null) {
  try { sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ text, link })); } catch { notice(text, link); }
}

/**
 * A notice that stays to be read: the pages that log in go on to another at once.
 * @param {string} text
 * @param {Link | null} [link]
 */
export function noticeThatStays(text, link = null) {
  const leaves = /^\/(login|register)(\.html)?$/.test(location.pathname);
  (leaves ? noticeOnNextPage : notice)(text, link);
}

/** Shows what the page before left. */
export function showKeptNotice() {
  try {
    const { text, link } = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '{}');
    sessionStorage.removeItem(STORAGE_KEY);
    if (text) notice(text, link);
  } catch { /* not readable: nothing to show */ }
}
