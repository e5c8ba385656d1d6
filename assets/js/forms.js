// @ts-check
/**
 * Form pieces: labeled fields with their own error, and sending without a page load.
 * Not for: what is valid; the server says, field by field.
 *
 * @typedef {object} FieldOptions
 * @property {string} name
 * @property {string} label
 * @property {string} autocomplete
 * @property {string} [type]
 * @property {string} [hint]
 * @property {string} [value]
 * @property {string} [of] tells it from a field of the same name in another form of the page
 *
 * @typedef {object} FormOptions
 * @property {string} id
 * @property {string} submit label of the button
 * @property {string} [kind] of the button
 * @property {(values: Record<string, string>, form: HTMLFormElement) => Promise<void>} onSubmit may throw what api.js throws
 */

import { ApiError } from './api.js';
import { el } from './dom.js';
import { t } from './i18n.js';
import { errorMessage } from './states.js';

/** @param {FieldOptions} options */
export function field({ name, label, type = 'text', autocomplete, hint, value, of }) {
  const id = of ? `field-${of}-${name}` : `field-${name}`;
  const input = el('input', {
    id, name, type, autocomplete, value, required: true,
    autocapitalize: 'none', spellcheck: 'false', class: 'input',
    aria: { describedby: `${hint ? `${id}-hint ` : ''}${id}-error` },
    on: { input: () => setError(input, '') },
  });
  return el('div', { class: 'field' },
    el('label', { for: id }, label),
    type === 'password' ? el('div', { class: 'input-group' }, input, revealButton(input)) : input,
    hint ? el('p', { class: 'field-hint', id: `${id}-hint` }, hint) : null,
    el('p', { class: 'field-error', id: `${id}-error` }));
}

/** @param {HTMLInputElement} input of a password */
function revealButton(input) {
  const toggle = () => {
    const reveal = input.type === 'password';
    input.type = reveal ? 'text' : 'password';
    button.textContent = t(reveal ? 'field.hide' : 'field.show');
    button.setAttribute('aria-pressed', String(reveal));
  };
  const button = el('button', {
    type: 'button', class: 'input-reveal', aria: { pressed: 'false', controls: input.id }, on: { click: toggle },
  }, t('field.show'));
  return button;
}

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control what has a name and a value */

/**
 * @param {Control} input
 * @param {string} message none when empty
 */
export function setError(input, message) {
  const place = document.getElementById(`${input.id}-error`);
  if (place) place.textContent = message;
  if (message) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

/**
 * A form that shows what the server refuses: at the fields that it names, else above them.
 * @param {FormOptions} options
 * @param {...HTMLElement} fields
 */
export function form({ id, submit, kind = 'primary', onSubmit }, ...fields) {
  const problem = el('p', { class: 'form-error', role: 'alert' });
  const button = el('button', { type: 'submit', class: `button button-${kind}` }, submit);
  const made = el('form', { id, class: 'form', novalidate: true, method: 'post' }, problem, ...fields, button);
  let busy = false;
  made.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    button.setAttribute('aria-disabled', 'true');
    clearErrors(made, problem);
    try {
      await onSubmit(/** @type {Record<string, string>} */ (Object.fromEntries(new FormData(made))), made);
    } catch (error) {
      showErrors(made, problem, error);
    } finally {
      busy = false;
      button.removeAttribute('aria-disabled');
    }
  });
  return made;
}

/**
 * @param {HTMLFormElement} made
 * @param {HTMLElement} problem
 */
function clearErrors(made, problem) {
  problem.textContent = '';
  for (const input of /** @type {NodeListOf<Control>} */ (made.querySelectorAll('.input'))) setError(input, '');
}

/**
 * @param {HTMLFormElement} made
 * @param {HTMLElement} problem
 * @param {unknown} error
 */
function showErrors(made, problem, error) {
  const errors = error instanceof ApiError ? error.errors : [];
  for (const { field: name, message } of errors) {
    const input = made.elements.namedItem(name);
    if (isControl(input)) setError(input, message);
  }
  problem.textContent = errorMessage(error);
  /** @type {HTMLElement | null} */ (made.querySelector('[aria-invalid]'))?.focus();
}

/**
 * @param {unknown} element
 * @returns {element is Control}
 */
function isControl(element) {
  return element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement;
}
