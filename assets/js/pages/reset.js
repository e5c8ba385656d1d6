// @ts-check
/**
 * `/reset.html`: asks for a link by mail; with `#token=…`, the end of that link, for the new password.
 * Not for: telling whether an address has an account; the server does not tell either.
 */

import { api, ApiError } from '../api.js';
import { el, show } from '../dom.js';
import { field, form } from '../forms.js';
import { t } from '../i18n.js';
import { startPage } from '../shell.js';

startPage(t('reset.title'));

/** The secret of the link. It leaves the address at once, so that neither the history nor a look over the shoulder has it. */
function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

/**
 * @param {string} text
 * @param {...HTMLElement} rest
 */
function draw(text, ...rest) {
  show(el('div', { class: 'narrow' },
    el('h1', { tabindex: '-1' }, t('reset.title')),
    el('p', { class: 'lead' }, text),
    ...rest,
    el('p', { class: 'form-aside' }, el('a', { href: '/login.html' }, t('reset.login')))));
}

/**
 * What came of it, read out: the heading gets the focus that the button had.
 * @param {string} text
 */
function tell(text) {
  draw(text);
  document.querySelector('h1')?.focus();
}

function ask() {
  draw(t('reset.ask'), form({
    id: 'reset-form', submit: t('reset.ask.submit'),
    onSubmit: async ({ email }) => {
      await api.askForReset(email);
      tell(t('reset.sent', { email }));
    },
  }, field({
    name: 'email', label: t('field.email'), type: 'email', autocomplete: 'username',
    value: new URLSearchParams(location.search).get('email') ?? '',
  })));
}

/** @param {string} token */
function choose(token) {
  draw(t('reset.choose'), form({
    id: 'reset-form', submit: t('reset.choose.submit'),
    onSubmit: async ({ password }) => {
      try {
        await api.confirmReset(token, password);
      } catch (error) {
        // The link is no field of the form: there is another to ask for.
        if (error instanceof ApiError && error.errors.some((wrong) => wrong.field === 'token')) return dead();
        throw error;
      }
      tell(t('reset.done'));
    },
  }, field({
    name: 'password', label: t('reset.password'), type: 'password', autocomplete: 'new-password', hint: t('field.password.hint'),
  })));
}

function dead() {
  ask();
  const lead = document.querySelector('.lead');
  if (lead) lead.textContent = t('reset.dead');
  document.querySelector('h1')?.focus();
}

const token = takeToken();
if (token) choose(token);
else ask();
// The link of a mail that is opened where this page is open already. Other parts of the page leave the form alone.
addEventListener('hashchange', () => {
  const another = takeToken();
  if (another) choose(another);
});
