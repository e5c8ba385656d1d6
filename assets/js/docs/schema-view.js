// @ts-check
/**
 * A schema as a reader sees it: its fields with type, limits and meaning, nested ones to be opened, and an example.
 * Not for: what a schema says (schema.js).
 */

import { el } from '../dom.js';
import { t } from '../i18n.js';
import { alternatives, choices, exampleOf, fieldsOf, limitsOf, merged, typeOf } from './schema.js';
import { words } from './words.js';

/** @import { Json } from './contract.js' */
/** @import { Field } from './schema.js' */

/**
 * @param {Json} document
 * @param {Json} schema
 * @param {number} [depth]
 * @returns {HTMLElement}
 */
export function schemaView(document, schema, depth = 0) {
  const several = choices(document, schema);
  if (several.length) {
    return el('div', { class: 'docs-choices' }, ...several.flatMap((one, place) => [
      place ? el('p', { class: 'docs-or' }, t('docs.or')) : null, schemaView(document, one, depth + 1)]));
  }
  const fields = fieldsOf(document, schema);
  if (!fields.length) return el('p', { class: 'docs-type-line' }, ...typeWords(document, schema), about(document, schema));
  return el('ul', { class: 'docs-fields', role: 'list' }, ...fields.map((field) => fieldView(document, field, depth)));
}

/**
 * @param {Json} document
 * @param {Field} field
 * @param {number} depth
 */
function fieldView(document, { name, required, schema }, depth) {
  const inner = depth < 4 && (fieldsOf(document, schema).length > 0 || choices(document, schema).length > 0);
  return el('li', { class: 'docs-field' },
    el('p', { class: 'docs-field-head' }, el('code', { class: 'docs-name' }, name), ' ', ...typeWords(document, schema),
      required ? el('span', { class: 'docs-required' }, t('docs.required')) : null),
    about(document, schema),
    inner ? lazily(t('docs.fields-of', { name: name }), () => schemaView(document, schema, depth + 1)) : null);
}

/**
 * @param {Json} document
 * @param {Json} schema
 */
export function typeWords(document, schema) {
  const limits = limitsOf(document, schema);
  return [
    el('span', { class: 'docs-type', lang: 'en' }, typeOf(document, schema, t)),
    limits.length ? el('span', { class: 'docs-limits' }, limits.join(', ')) : null,
  ];
}

/**
 * @param {Json} document
 * @param {Json} schema
 */
function about(document, schema) {
  const own = merged(document, schema);
  const text = schema.description ?? own.description ?? alternatives(own).map((one) => merged(document, one).description).find(Boolean);
  return text ? el('p', { class: 'docs-about', lang: 'en' }, words(text)) : null;
}

/**
 * Something to open, drawn when it is first opened.
 * @param {string} label
 * @param {() => HTMLElement} draw
 */
export function lazily(label, draw) {
  const details = el('details', { class: 'docs-more' }, el('summary', {}, label));
  details.addEventListener('toggle', () => details.append(draw()), { once: true });
  return details;
}

/**
 * An example as JSON.
 * @param {Json} document
 * @param {Json} schema
 */
export const exampleView = (document, schema) => lazily(t('docs.example'),
  () => code(JSON.stringify(exampleOf(document, schema), null, 2)));

/**
 * Text that may be wide, to be scrolled by keyboard as well.
 * @param {string} text
 * @param {string} [label]
 */
export const code = (text, label = t('docs.example')) =>
  el('pre', { class: 'docs-code', tabindex: '0', role: 'region', aria: { label } }, el('code', {}, text));
