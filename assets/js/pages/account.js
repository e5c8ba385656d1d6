// @ts-check
/**
 * `/account.html`: nickname, privacy, password, log out.
 * Not for: orders (orders.js).
 */

import { api, ApiError } from '../api.js';
import { el, show } from '../dom.js';
import { formatDay } from '../format.js';
import { field, form } from '../forms.js';
import { t } from '../i18n.js';
import { loginRequired, membersOnly } from '../login-required.js';
import { realtime } from '../realtime.js';
import { session } from '../session.js';
import { startPage } from '../shell.js';
import { errorMessage, linkButton, notice } from '../states.js';

/** @import { User } from '../api.js' */

startPage(t('account.title'));
if (await membersOnly() && session.user) draw(session.user);

/** @param {User} user */
function draw(user) {
  show(el('div', { class: 'account' },
    el('div', { class: 'account-head' },
      el('span', { class: 'avatar', aria: { hidden: 'true' } }, [...user.nickname][0].toLocaleUpperCase()),
      el('div', {},
        el('h1', {}, t('account.title')),
        el('p', { class: 'lead' }, user.email, ' · ', t('account.since', { date: formatDay(user.createdAt) }))),
      linkButton('/orders.html', t('nav.orders'), 'quiet')),
    section('account.profile', form({ id: 'profile-form', submit: t('account.save'), kind: 'quiet', onSubmit: rename },
      field({ name: 'nickname', label: t('field.nickname'), autocomplete: 'nickname', value: user.nickname, hint: t('field.nickname.hint') }))),
    section('account.privacy', hideSwitch(user)),
    section('account.password', form({ id: 'password-form', submit: t('account.password.submit'), kind: 'quiet', onSubmit: changePassword },
      // For password managers, which keep a password under a user name.
      el('input', { type: 'hidden', autocomplete: 'username', value: user.email }),
      field({ name: 'currentPassword', label: t('field.currentPassword'), type: 'password', autocomplete: 'current-password' }),
      field({ name: 'password', label: t('field.newPassword'), type: 'password', autocomplete: 'new-password', hint: t('field.password.hint') }))),
    el('section', { class: 'card account-leave' },
      el('p', {}, t('account.leave.hint')),
      el('button', { type: 'button', class: 'button button-danger', data: { action: 'log-out' }, on: { click: logOut } }, t('account.leave')))));
}

/**
 * @param {string} key of the heading's message
 * @param {...HTMLElement} content
 */
function section(key, ...content) {
  return el('section', { class: 'card' }, el('h2', {}, t(key)), ...content);
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
 * @param {HTMLFormElement} passwordForm
 */
async function changePassword({ currentPassword, password }, passwordForm) {
  session.changed(await api.changeMe({ currentPassword, password }));
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
  session.loggedOut();
  location.assign('/');
}
