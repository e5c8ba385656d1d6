// @ts-check
/**
 * As whom requests are tried: by the log-in of this browser (its cookie), or by a token that was typed, which stays in the
 * page's memory.
 * Not for: logging in.
 */

import { el } from '../dom.js';
import { lang, t } from '../i18n.js';
import { session } from '../session.js';

let token = '';

/**
 * What every tried request says of its sender.
 * @returns {Record<string, string>}
 */
export const headersFor = () => ({ 'Accept-Language': lang, ...(token ? { Authorization: `Bearer ${token}` } : {}) });

/** The line that says who one is, and takes a token. */
export function whoView() {
  const input = el('input', { id: 'docs-token', class: 'input', type: 'password', autocomplete: 'off', spellcheck: 'false', aria: { describedby: 'docs-token-hint' } });
  input.addEventListener('input', () => { token = input.value.trim(); });
  const line = el('p', { class: 'docs-me' });
  const say = () => {
    line.replaceChildren(session.user ? t('docs.me', { nickname: session.user.nickname }) : t('docs.nobody'), ' ',
      session.user ? '' : el('a', { href: '/login.html?next=%2Fdocs' }, t('nav.login')));
  };
  session.addEventListener('user', say);
  say();
  return el('section', { class: 'card docs-account' }, line,
    el('div', { class: 'field' }, el('label', { for: 'docs-token' }, t('docs.token')), input,
      el('p', { class: 'field-hint', id: 'docs-token-hint' }, t('docs.token.hint'))));
}
