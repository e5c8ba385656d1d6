// @ts-check
/**
 * Fields of the control room's forms beside those of the shop's: optional ones, lists to choose from, long texts, switches.
 * Not for: sending them (../../js/forms.js).
 *
 * @typedef {object} FieldOptions
 * @property {string} name
 * @property {string} label
 * @property {string} [hint]
 * @property {string | number | null} [value]
 * @property {boolean} [required]
 * @property {string} [type]
 * @property {string} [inputmode]
 * @property {string} [placeholder]
 * @property {boolean} [code] whether each character counts
 * @property {boolean} [disabled]
 * @property {string} [list] id of a datalist
 *
 * @import { Control } from '../../js/forms.js'
 */

import { el } from '../../js/dom.js';
import { setError } from '../../js/forms.js';

/**
 * @param {Control} control
 * @param {FieldOptions} options
 */
function labeled(control, { label, hint }) {
  const { id } = control;
  control.addEventListener('input', () => setError(control, ''));
  return el('div', { class: 'field' }, el('label', { for: id }, label), control,
    hint ? el('p', { class: 'field-hint', id: `${id}-hint` }, hint) : null,
    el('p', { class: 'field-error', id: `${id}-error` }));
}

/** @param {FieldOptions} options */
const attributes = ({ name, hint, required = false, code = false, disabled = false }) => ({
  id: `field-${name}`, name, required, disabled, class: code ? 'input input-code' : 'input',
  spellcheck: code ? 'false' : null, autocapitalize: code ? 'none' : null,
  aria: { describedby: `${hint ? `field-${name}-hint ` : ''}field-${name}-error` },
});

/** @param {FieldOptions} options */
export function textField(options) {
  const { type = 'text', inputmode, placeholder, value, list } = options;
  return labeled(el('input', { ...attributes(options), type, inputmode, placeholder, value, list, autocomplete: 'off' }), options);
}

/** @param {FieldOptions} options */
export function areaField(options) {
  return labeled(el('textarea', { ...attributes(options), placeholder: options.placeholder }, options.value), options);
}

/** @param {FieldOptions & {options: [string, string][]}} options values with their names */
export function selectField(options) {
  return labeled(el('select', attributes(options), ...options.options.map(([value, name]) =>
    el('option', { value, selected: value === String(options.value ?? '') }, name))), options);
}

/** @param {{name: string, label: string, hint?: string, checked?: boolean, disabled?: boolean}} options */
export function switchField({ name, label, hint, checked = false, disabled = false }) {
  const id = `field-${name}`;
  return el('div', { class: 'field' },
    el('label', { class: 'switch' }, el('input', { type: 'checkbox', role: 'switch', id, name, checked, disabled, aria: { describedby: hint ? `${id}-hint` : null } }), el('span', {}, label)),
    hint ? el('p', { class: 'field-hint', id: `${id}-hint` }, hint) : null);
}

/**
 * Several of a list.
 * @param {{name: string, legend: string, options: [string, string][], chosen: string[], disabled?: boolean}} options
 */
export function checksField({ name, legend, options, chosen, disabled = false }) {
  return el('fieldset', { class: 'checks', disabled }, el('legend', {}, legend), ...options.map(([value, label]) =>
    el('label', { class: 'check' }, el('input', { type: 'checkbox', name, value, checked: chosen.includes(value) }), el('span', {}, label))));
}

/**
 * The chosen values of `checksField`.
 * @param {HTMLFormElement} form
 * @param {string} name
 */
export const chosen = (form, name) => new FormData(form).getAll(name).map(String);
