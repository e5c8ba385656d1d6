// @ts-check
/**
 * `/register.html`: a new account, then logged in straight away.
 * Not for: checking nicknames or passwords here; the server names each field's fault.
 */

import { api } from '../api.js';
import { el, show } from '../dom.js';
import { field, form } from '../forms.js';
import { t } from '../i18n.js';
import { safeRedirect } from '../redirect.js';
import { session } from '../session.js';
import { startPage } from '../shell.js';

startPage(t('nav.register'));
const next = new URLSearchParams(location.search).get('next');

show(el('div', { class: 'narrow' },
  el('h1', {}, t('register.title')),
  el('p', { class: 'lead' }, t('register.text')),
  form({ id: 'register-form', submit: t('register.submit'), onSubmit: register },
    field({ name: 'nickname', label: t('field.nickname'), autocomplete: 'nickname', hint: t('field.nickname.hint') }),
    field({ name: 'email', label: t('field.email'), type: 'email', autocomplete: 'username' }),
    field({ name: 'password', label: t('field.password'), type: 'password', autocomplete: 'new-password', hint: t('field.password.hint') }),
    field({ name: 'confirmPassword', label: t('field.confirmPassword'), type: 'password', autocomplete: 'new-password' })),
  el('p', { class: 'form-aside' }, t('register.have'), ' ',
    el('a', { href: `/login.html${next ? `?next=${encodeURIComponent(next)}` : ''}` }, t('nav.login')))));

/** @param {Record<string, string>} values */
async function register({ nickname, email, password, confirmPassword }) {
  await api.register({ nickname, email, password, confirmPassword });
  try {
    await api.logIn({ email, password });
  } catch {
    // The account was made all the same.
    const query = new URLSearchParams({ registered: '', email, ...(next ? { next } : {}) });
    return location.replace(`/login.html?${query}`);
  }
  await session.loggedIn();
  location.replace(safeRedirect(next));
}
