// @ts-check
/**
 * A route: its line, and when opened what it takes and answers, with a form to try it.
 * Not for: the form (try-it.js).
 */

import { el } from '../dom.js';
import { t } from '../i18n.js';
import { exampleView, lazily, schemaView, typeWords } from './schema-view.js';
import { tryIt } from './try-it.js';
import { paragraphs, words } from './words.js';

/** @import { Answer, Json, Parameter, Route } from './contract.js' */

/**
 * @param {Json} openapi
 * @param {Route} route
 */
export function routeView(openapi, route) {
  const details = el('details', { class: 'docs-item', id: route.id },
    el('summary', { class: 'docs-line' },
      method(route.method), el('code', { class: 'docs-path' }, ...breakable(route.path)),
      el('span', { class: 'docs-summary', lang: 'en' }, route.summary),
      route.who === 'all' ? null : el('span', { class: `docs-who docs-who-${route.who}` }, t(`docs.who.${route.who}`))));
  details.addEventListener('toggle', () => details.append(body(openapi, route)), { once: true });
  return details;
}

/** @param {string} name */
export const method = (name) => el('span', { class: `docs-method docs-method-${name.toLowerCase()}` }, name);

/**
 * Lines may break after a slash.
 * @param {string} path
 */
const breakable = (path) => path.split(/(?<=\/)/).flatMap((part) => [el('wbr'), part]);

/**
 * @param {Json} openapi
 * @param {Route} route
 */
function body(openapi, route) {
  const { parameters, bodies, answers } = route;
  return el('div', { class: 'docs-body' },
    ...paragraphs(route.description),
    el('p', { class: 'docs-who-line' }, t(`docs.who.${route.who}.long`), ' ', el('a', { href: `#${route.id}` }, t('docs.link'))),
    parameters.length ? el('section', {}, el('h3', {}, t('docs.parameters')),
      el('ul', { class: 'docs-fields', role: 'list' }, ...parameters.map((one) => parameterView(openapi, one)))) : null,
    bodies.length ? el('section', {}, el('h3', {}, t('docs.body')),
      el('p', { class: 'docs-media' }, ...bodies.flatMap(({ type }) => [el('code', {}, type), ' '])),
      schemaView(openapi, bodies[0].schema), exampleView(openapi, bodies[0].schema)) : null,
    el('section', {}, el('h3', {}, t('docs.answers')), ...answers.map((one) => answerView(openapi, one))),
    el('section', { class: 'docs-try' }, el('h3', {}, t('docs.try')), tryIt(openapi, route)));
}

/**
 * @param {Json} openapi
 * @param {Parameter} parameter
 */
function parameterView(openapi, { name, in: place, required, description, schema }) {
  return el('li', { class: 'docs-field' },
    el('p', { class: 'docs-field-head' }, el('code', { class: 'docs-name' }, name), ' ',
      el('span', { class: 'docs-place' }, t(`docs.in.${place}`)), ...typeWords(openapi, schema),
      required ? el('span', { class: 'docs-required' }, t('docs.required')) : null),
    el('p', { class: 'docs-about', lang: 'en' }, words(description)));
}

/**
 * @param {Json} openapi
 * @param {Answer} answer
 */
function answerView(openapi, { status, description, headers, bodies }) {
  const kind = `docs-status docs-status-${status[0]}`;
  const schema = bodies[0]?.schema;
  return el('div', { class: 'docs-answer' },
    el('span', { class: kind }, status),
    el('div', {},
      ...paragraphs(description, 'docs-about'),
      headers.length ? el('p', { class: 'docs-media' }, t('docs.headers'), ': ', ...headers.flatMap(([name]) => [el('code', {}, name), ' '])) : null,
      schema ? lazily(bodies[0].type, () => el('div', {}, schemaView(openapi, schema), exampleView(openapi, schema))) : null));
}
