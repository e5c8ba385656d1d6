// @ts-check
/**
 * `/account.html`: nickname, privacy, e-mail address, password, log out, what is kept, the end of the account.
 * Not for: orders (orders.js).
 */

import { api, ApiError } from '../api.js';
import { changingCredentials } from '../credentials.js';
import { el, show } from '../dom.js';
import { formatDay } from '../format.js';
import { field, form } from '../forms.js';
import { t } from '../i18n.js';
import { forgetIntent } from '../intent.js';
import { loginRequired, membersOnly } from '../login-required.js';
import { realtime } from '../realtime.js';
import { session } from '../session.js';
import { startPage } from '../shell.js';
import { errorMessage, linkButton, notice, noticeOnNextPage } from '../states.js';
import { toastSwitch } from '../toast-switch.js';

/** @import { User } from '../api.js' */

startPage(t('account.title'));
if (await membersOnly() && session.user) draw(session.user);

/** @param {User} user */
function draw(user) {
  const email = el('span', { data: { role: 'account-email' } }, user.email);
  show(el('div', { class: 'account' },
    el('div', { class: 'account-head' },
      el('span', { class: 'avatar', aria: { hidden: 'true' } }, [...user.nickname][0].toLocaleUpperCase()),
      el('div', {},
        el('h1', {}, t('account.title')),
        el('p', { class: 'lead' }, email, ' · ', t('account.since', { date: formatDay(user.createdAt) }))),
      linkButton('/orders.html', t('nav.orders'), 'quiet')),
    section('account.profile', form({ id: 'profile-form', submit: t('account.save'), kind: 'quiet', onSubmit: rename },
      field({ name: 'nickname', label: t('field.nickname'), autocomplete: 'nickname', value: user.nickname, hint: t('field.nickname.hint') }))),
    section('account.privacy', hideSwitch(user)),
    section('account.alerts', toastSwitch('account-toasts')),
    section('account.email', form({ id: 'email-form', submit: t('account.email.submit'), kind: 'quiet', onSubmit: changeEmail },
      field({ name: 'email', label: t('field.newEmail'), type: 'email', autocomplete: 'email' }),
      field({ name: 'currentPassword', of: 'email', label: t('field.currentPassword'), type: 'password', autocomplete: 'current-password' }))),
    section('account.password', form({ id: 'password-form', submit: t('account.password.submit'), kind: 'quiet', onSubmit: changePassword },
      // For password managers, which keep a password under a user name.
      el('input', { type: 'hidden', autocomplete: 'username', value: user.email }),
      field({ name: 'currentPassword', label: t('field.currentPassword'), type: 'password', autocomplete: 'current-password' }),
      field({ name: 'password', label: t('field.newPassword'), type: 'password', autocomplete: 'new-password', hint: t('field.password.hint') }))),
    el('section', { class: 'card' }, el('h2', {}, t('account.leave')),
      way('account.leave.hint', el('button', { type: 'button', class: 'button button-danger', data: { action: 'log-out' }, on: { click: logOut } }, t('account.leave'))),
      way('account.elsewhere.hint', elsewhereButton())),
    el('section', { class: 'card' }, el('h2', {}, t('account.data')),
      way('account.export.hint', el('a', { class: 'button button-quiet', href: '/api/users/me/export', download: true, data: { action: 'export' } }, t('account.export'))),
      way('account.erase.hint', el('button', { type: 'button', class: 'button button-danger', data: { action: 'erase' }, on: { click: confirmErasure } }, t('account.erase'))))));
}

/**
 * @param {string} key of the heading's message
 * @param {...HTMLElement} content
 */
function section(key, ...content) {
  return el('section', { class: 'card' }, el('h2', {}, t(key)), ...content);
}

/**
 * Something to do, and what it does.
 * @param {string} hint key of its message
 * @param {HTMLElement} button
 */
function way(hint, button) {
  const id = hint.replaceAll('.', '-');
  button.setAttribute('aria-describedby', id);
  return el('div', { class: 'account-way' }, el('p', { id }, t(hint)), button);
}

function elsewhereButton() {
  const button = el('button', { type: 'button', class: 'button button-quiet', data: { action: 'log-out-elsewhere' } }, t('account.elsewhere'));
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    try {
      await api.logOutElsewhere();
      notice(t('account.elsewhere.done'));
    } catch (error) {
      if (!loginRequired(error)) notice(errorMessage(error));
    } finally {
      button.removeAttribute('aria-disabled');
    }
  });
  return button;
}

/** @param {User} user */
function hideSwitch(user) {
  const problem = el('p', { class: 'form-error', role: 'alert' });
  const input = el('input', {
    type: 'checkbox', role: 'switch', id: 'hide-purchases', name: 'hidePurchases', checked: user.hidePurchases,
    aria: { describedby: 'hide-hint' },
  });
  input.addEventListener('change', async () => {
    problem.textContent = '';
    try {
      session.changed(await api.changeMe({ hidePurchases: input.checked }));
      notice(t('account.saved'));
    } catch (error) {
      input.checked = !input.checked;
      if (!loginRequired(error)) problem.textContent = errorMessage(error);
    }
  });
  return el('div', {}, el('label', { class: 'switch' }, input, el('span', {}, t('account.hide'))),
    el('p', { class: 'field-hint', id: 'hide-hint' }, t('account.hide.hint')), problem);
}

/** @param {Record<string, string>} values */
async function rename({ nickname }) {
  session.changed(await api.changeMe({ nickname }));
  notice(t('account.saved'));
}

/**
 * @param {Record<string, string>} values
 * @param {HTMLFormElement} emailForm
 */
async function changeEmail({ email, currentPassword }, emailForm) {
  const user = await api.changeMe({ email, currentPassword });
  session.changed(user);
  emailForm.reset();
  for (const shown of document.querySelectorAll('[data-role="account-email"]')) shown.textContent = user.email;
  notice(t('account.email.done'));
}

/**
 * The log-in of all tabs is replaced by another, and their connections end with the old one: each opens a new one when it
 * knows the new log-in (shell.js).
 * @param {Record<string, string>} values
 * @param {HTMLFormElement} passwordForm
 */
async function changePassword({ currentPassword, password }, passwordForm) {
  session.changed(await changingCredentials(() => api.changeMe({ currentPassword, password })));
  passwordForm.reset();
  notice(t('account.password.done'));
}

async function logOut() {
  // Before the server closes the connection, which would be shown as a log-out by someone else.
  realtime.close();
  try {
    await api.logOut();
  } catch (error) {
    // 401: logged out already, which is what was wanted.
    if (!(error instanceof ApiError) || error.status !== 401) {
      realtime.open();
      notice(errorMessage(error));
      return;
    }
  }
  forgetIntent();
  session.loggedOut();
  location.assign('/');
}

function confirmErasure() {
  const erase = form({ id: 'erase-form', submit: t('account.erase.yes'), kind: 'danger-solid', onSubmit: eraseAccount },
    field({ name: 'password', of: 'erase', label: t('field.currentPassword'), type: 'password', autocomplete: 'current-password' }));
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': 'erase-title', 'aria-describedby': 'erase-text' },
    el('h2', { id: 'erase-title' }, t('account.erase.title')),
    el('p', { id: 'erase-text' }, t('account.erase.text')), erase,
    el('button', { type: 'button', class: 'button button-quiet', on: { click: () => dialog.close() } }, t('account.erase.no')));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {Record<string, string>} values */
async function eraseAccount({ password }) {
  // As for a log-out: its end would be shown as someone else's doing.
  realtime.close();
  try {
    await api.eraseMe(password);
  } catch (error) {
    realtime.open();
    throw error;
  }
  forgetIntent();
  session.cartOrdered();
  session.loggedOut();
  noticeOnNextPage(t('account.erase.done'));
  location.assign('/');
}
