// @ts-check
/**
 * `/login.html`: e-mail and password; then on to `?next=`.
 * Not for: keeping the token: the server sets it as an HttpOnly cookie.
 */

import { api } from '../api.js';
import { el, show } from '../dom.js';
import { field, form } from '../forms.js';
import { t } from '../i18n.js';
import { safeRedirect } from '../redirect.js';
import { session } from '../session.js';
import { startPage } from '../shell.js';

startPage(t('nav.login'));
const params = new URLSearchParams(location.search);
const next = params.get('next');
const hint = params.has('registered') ? t('login.registered') : next ? t('login.needed') : t('login.text');

show(el('div', { class: 'narrow' },
  el('h1', {}, t('login.title')),
  el('p', { class: 'lead' }, hint),
  form({
    id: 'login-form', submit: t('login.submit'),
    onSubmit: async ({ email, password }) => {
      await api.logIn({ email, password });
      await session.loggedIn();
      leaveIfMember();
    },
  },
  field({ name: 'email', label: t('field.email'), type: 'email', autocomplete: 'username', value: params.get('email') ?? '' }),
  field({ name: 'password', label: t('field.password'), type: 'password', autocomplete: 'current-password' })),
  el('p', { class: 'form-aside' }, el('a', { href: '/reset.html' }, t('login.forgot'))),
  el('p', { class: 'form-aside' }, t('login.none'), ' ',
    el('a', { href: `/register.html${next ? `?next=${encodeURIComponent(next)}` : ''}` }, t('nav.register')))));

session.ready.then(leaveIfMember);
session.addEventListener('user', leaveIfMember);

function leaveIfMember() {
  if (session.user) location.replace(safeRedirect(next));
}
