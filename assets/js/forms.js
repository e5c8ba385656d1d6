/**
 * Form pieces: labelled fields with their own error, and sending without a page load.
 * Not for: what is valid; the server says, field by field.
 */

import { el } from './dom.js';
import { t } from './i18n.js';
import { ApiError } from './api.js';
import { messageOf } from './states.js';

/**
 * @param {{name: string, label: string, type?: string, autocomplete: string, hint?: string, value?: string, minlength?: number, maxlength?: number}} of
 */
export function field({ name, label, type = 'text', autocomplete, hint, value, minlength, maxlength }) {
  const id = `field-${name}`;
  const input = el('input', {
    id, name, type, autocomplete, value, minlength, maxlength, required: true,
    autocapitalize: 'none', spellcheck: 'false', class: 'input',
    aria: { describedby: `${hint ? `${id}-hint ` : ''}${id}-error` },
    on: { input: () => complain(input, '') },
  });
  return el('div', { class: 'field' },
    el('label', { for: id }, label),
    type === 'password' ? el('div', { class: 'input-group' }, input, reveal(input)) : input,
    hint ? el('p', { class: 'field-hint', id: `${id}-hint` }, hint) : null,
    el('p', { class: 'field-error', id: `${id}-error` }));
}

function reveal(input) {
  const button = el('button', {
    type: 'button', class: 'input-reveal', aria: { pressed: 'false', controls: input.id },
    on: {
      click: () => {
        const shown = input.type === 'text';
        input.type = shown ? 'password' : 'text';
        button.textContent = t(shown ? 'field.show' : 'field.hide');
        button.setAttribute('aria-pressed', String(!shown));
      },
    },
  }, t('field.show'));
  return button;
}

function complain(input, message) {
  const place = document.getElementById(`${input.id}-error`);
  if (place) place.textContent = message;
  if (message) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

/**
 * A form that shows the server's refusal: at the fields it names, else above them.
 * @param {{id: string, submit: string, kind?: string, onSubmit: (values: any, form: HTMLFormElement) => Promise<void>}} of
 * @param {...any} fields
 */
export function form({ id, submit, kind = 'primary', onSubmit }, ...fields) {
  const problem = el('p', { class: 'form-error', role: 'alert' });
  const button = el('button', { type: 'submit', class: `button button-${kind}` }, submit);
  const made = /** @type {HTMLFormElement} */ (/** @type {unknown} */ (el('form', { id, class: 'form', novalidate: true, method: 'post' }, problem, ...fields, button)));
  let busy = false;
  made.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    button.setAttribute('aria-disabled', 'true');
    clear(made, problem);
    try {
      await onSubmit(/** @type {any} */ (Object.fromEntries(new FormData(made))), made);
    } catch (error) {
      showErrors(made, problem, error);
    } finally {
      busy = false;
      button.removeAttribute('aria-disabled');
    }
  });
  return made;
}

function clear(made, problem) {
  problem.textContent = '';
  for (const input of made.querySelectorAll('.input')) complain(input, '');
}

function showErrors(made, problem, error) {
  const errors = error instanceof ApiError ? error.errors : [];
  const placed = errors.filter(({ field: name, message }) => {
    const input = made.elements.namedItem(name);
    if (input) complain(input, message);
    return Boolean(input);
  });
  problem.textContent = messageOf(error);
  const first = made.querySelector('[aria-invalid]');
  if (placed.length && first) first.focus();
}
