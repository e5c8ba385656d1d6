// @ts-check
/**
 * Questions before something happens, and small forms over a page.
 * Not for: what is asked.
 *
 * @import { Child } from '../../js/dom.js'
 */

import { el } from '../../js/dom.js';
import { form } from '../../js/forms.js';
import { loginRequired } from '../../js/login-required.js';
import { errorMessage } from '../../js/states.js';
import { t } from './i18n.js';

let made = 0;

/**
 * Opens a dialog with a title; Escape closes it, and it is gone then.
 * @param {string} title
 * @param {...(Child | Child[])} content
 */
export function openDialog(title, ...content) {
  const id = `dialog-${made += 1}`;
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': id }, el('h2', { id }, title), ...content);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * What closes a dialog that only tells something.
 * @param {{kind?: 'primary' | 'quiet', autofocus?: boolean}} [options]
 */
export function closeButton({ kind = 'primary', autofocus = false } = {}) {
  return el('form', { method: 'dialog', class: 'buttons' }, el('button', { class: `button button-${kind}`, autofocus }, t('dialog.close')));
}

/**
 * Asks, and does it. An error is told in the dialog, which stays.
 * @param {{title: string, text: Child | Child[], yes: string, danger?: boolean, work: () => Promise<unknown>}} question
 */
export function ask({ title, text, yes, danger = false, work }) {
  const problem = el('p', { class: 'form-error', role: 'alert' });
  const go = el('button', { type: 'button', class: `button button-${danger ? 'danger-solid' : 'primary'}`, data: { action: 'confirm' } }, yes);
  const no = el('button', { type: 'button', class: 'button button-quiet', autofocus: true }, t('dialog.no'));
  const dialog = openDialog(title, el('p', {}, text), problem, el('div', { class: 'buttons' }, no, go));
  no.addEventListener('click', () => dialog.close());
  go.addEventListener('click', async () => {
    if (go.getAttribute('aria-disabled') === 'true') return;
    go.setAttribute('aria-disabled', 'true');
    problem.textContent = '';
    try {
      await work();
      dialog.close();
    } catch (error) {
      if (!loginRequired(error)) problem.textContent = errorMessage(error);
    } finally {
      go.removeAttribute('aria-disabled');
    }
  });
}

/**
 * A form in a dialog, which closes when it was taken.
 * @param {{title: string, text?: string, submit: string, fields: HTMLElement[], onSubmit: (values: Record<string, string>, form: HTMLFormElement) => Promise<unknown>}} options
 */
export function askForm({ title, text, submit, fields, onSubmit }) {
  const inside = form({
    id: `form-${made += 1}`, submit, onSubmit: async (values, sent) => {
      await onSubmit(values, sent);
      dialog.close();
    },
  }, ...fields);
  const no = el('button', { type: 'button', class: 'button button-quiet' }, t('dialog.no'));
  const dialog = openDialog(title, text ? el('p', { class: 'note' }, text) : null, inside, no);
  no.addEventListener('click', () => dialog.close());
  return dialog;
}
