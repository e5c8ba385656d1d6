/**
 * What a page shows when it has nothing, waits, or failed; and short confirmations.
 * Not for: other people's purchases (../widget/).
 */

import { el, show } from './dom.js';
import { t } from './i18n.js';
import { icon } from './icons.js';
import { ApiError } from './api.js';
import { session } from './session.js';

/** @param {{icon?: any, title: string, text?: string, action?: Node | null, alert?: boolean, level?: string}} state */
export function emptyState({ icon: name = 'box', title, text, action = null, alert = false, level = 'h2' }) {
  return el('div', { class: 'state', role: alert ? 'alert' : null },
    el('span', { class: 'state-icon' }, icon(name)), el(level, { class: 'state-title' }, title), text ? el('p', {}, text) : null, action);
}

export function linkButton(/** @type {string} */ href, /** @type {string} */ text, kind = 'primary') {
  return el('a', { class: `button button-${kind}`, href }, text);
}

/** An error with a way on. @param {unknown} error @param {() => void} retry */
export function errorState(error, retry) {
  return emptyState({
    icon: 'alert', alert: true, title: t('error.title'), text: messageOf(error),
    action: el('button', { type: 'button', class: 'button button-primary', on: { click: retry } }, t('error.retry')),
  });
}

/** The sentence for the reader. @param {unknown} error */
export function messageOf(error) {
  if (!(error instanceof ApiError)) {
    console.error(error);
    return t('error.unknown');
  }
  return error.retryAfter && error.status === 429 ? `${error.message} ${t('login.wait', { seconds: error.retryAfter })}` : error.message;
}

/** Off to the log-in page and back here afterwards. */
export function goLogIn(next = location.pathname + location.search) {
  location.assign(`/login.html?next=${encodeURIComponent(next)}`);
}

/** True if the error was "log in first" and the page is on its way there. */
export function sentToLogIn(/** @type {unknown} */ error) {
  if (!(error instanceof ApiError) || error.status !== 401) return false;
  session.loggedOut();
  goLogIn();
  return true;
}

/** For pages of members only. @returns {Promise<boolean>} whether the page may go on */
export async function membersOnly() {
  await session.ready;
  if (session.user) return true;
  // No hint that someone is logged in, or a first visit with a cookie: ask once.
  await session.check();
  if (session.failure) show(errorState(session.failure, () => location.reload()));
  else if (!session.user) goLogIn();
  return Boolean(session.user);
}

const KEPT = 'shopbell.notice';

/** Says it where the reader will be in a moment. @param {string} text @param {{href: string, text: string} | null} [link] */
export function noticeOnNextPage(text, link = null) {
  try { sessionStorage.setItem(KEPT, JSON.stringify({ text, link })); } catch { notice(text, link); }
}

export function showKeptNotice() {
  try {
    const { text, link } = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}');
    sessionStorage.removeItem(KEPT);
    if (text) notice(text, link);
  } catch { /* nothing was kept */ }
}

/** A confirmation that needs no answer, read out politely. @param {string} text @param {{href: string, text: string} | null} [link] */
export function notice(text, link = null) {
  const place = document.querySelector('.notices') ?? document.body.appendChild(
    el('div', { class: 'notices', role: 'status', aria: { live: 'polite' } }));
  const note = el('p', { class: 'notice' }, icon('check'), el('span', {}, text),
    link ? el('a', { href: link.href }, link.text) : null);
  place.replaceChildren(note);
  setTimeout(() => note.remove(), 6_000);
}
