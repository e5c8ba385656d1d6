// @ts-check
/**
 * The switch that turns toasts off in this browser, for good: nobody has to read against a clock.
 * Not for: taking them off the page (shell.js) or keeping the choice (news.js).
 */

import { el } from './dom.js';
import { t } from './i18n.js';
import { news } from './news.js';

/** @param {string} id of the input, one of its kind on the page */
export function toastSwitch(id) {
  const input = el('input', { type: 'checkbox', role: 'switch', id, checked: news.toasts, aria: { describedby: `${id}-hint` } });
  input.addEventListener('change', () => { news.toasts = input.checked; });
  const follow = () => {
    // Taken off the page with what it is in.
    if (input.isConnected) input.checked = news.toasts;
    else news.removeEventListener('toasts', follow);
  };
  news.addEventListener('toasts', follow);
  return el('div', {}, el('label', { class: 'switch' }, input, el('span', {}, t('news.toasts'))),
    el('p', { class: 'field-hint', id: `${id}-hint` }, t('news.toasts.hint')));
}
