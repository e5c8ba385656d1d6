// @ts-check
/**
 * A form that sends a request to a route and shows what was sent and what came back: status, time, headers, body.
 * Not for: requests of the shop's own pages (api.js).
 */

import { el } from '../dom.js';
import { t } from '../i18n.js';
import { resolve } from './contract.js';
import { exampleOf, merged, typeOf } from './schema.js';
import { code } from './schema-view.js';
import { headersFor } from './who.js';

/** @import { Json, Parameter, Route } from './contract.js' */

/** Characters of an answer that are shown. */
const MOST_SHOWN = 100_000;

/**
 * @param {Json} openapi
 * @param {Route} route
 */
export function tryIt(openapi, route) {
  const fields = route.parameters.map((one) => parameterField(openapi, route, one));
  const types = route.bodies.map(({ type }) => type === '*/*' ? 'application/json' : type);
  const media = types.length > 1 ? mediaField(route, types) : null;
  const body = route.bodies.length ? bodyField(openapi, route) : null;
  const answer = el('div', { class: 'docs-result', role: 'status' });
  const send = el('button', { class: 'button button-primary', type: 'submit' }, t('docs.send'));
  const stop = el('button', { class: 'button button-quiet', type: 'button', hidden: true }, t('docs.stop'));
  const form = el('form', { class: 'form docs-form' }, ...fields.map(({ view }) => view), media?.view ?? null, body?.view ?? null,
    route.method === 'GET' ? null : el('p', { class: 'docs-about' }, t('docs.changes')),
    el('div', { class: 'docs-buttons' }, send, stop));
  media?.select.addEventListener('change', () => {
    if (body) body.area.value = written(exampleOf(openapi, route.bodies[0].schema), media.select.value);
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (send.disabled) return;
    const abort = new AbortController();
    const cancel = () => abort.abort();
    stop.addEventListener('click', cancel);
    [send.disabled, stop.hidden] = [true, false];
    try {
      await perform(request(route, fields, body && { type: media?.select.value ?? types[0], text: body.area.value }), answer, abort);
    } finally {
      stop.removeEventListener('click', cancel);
      [send.disabled, stop.hidden] = [false, true];
    }
  });
  return el('div', {}, form, answer);
}

/**
 * @typedef {object} Filled
 * @property {Parameter} parameter
 * @property {() => string} value
 * @property {HTMLElement} view
 */

/**
 * @param {Json} openapi
 * @param {Route} route
 * @param {Parameter} parameter
 * @returns {Filled}
 */
function parameterField(openapi, route, parameter) {
  const id = `try-${route.id}-${parameter.name}`;
  const schema = merged(openapi, parameter.schema);
  const example = parameter.required ? exampleOf(openapi, parameter.schema) : '';
  const input = Array.isArray(schema.enum)
    ? el('select', { id, class: 'input' }, parameter.required ? null : el('option', { value: '' }, '–'), ...schema.enum.map((/** @type {string} */ one) => el('option', {}, one)))
    : el('input', { id, class: 'input', value: String(example ?? ''), required: parameter.required, autocapitalize: 'none', autocomplete: 'off', spellcheck: 'false', placeholder: typeOf(openapi, parameter.schema, t) });
  return {
    parameter,
    value: () => input.value,
    view: el('div', { class: 'field' }, el('label', { for: id }, el('code', {}, parameter.name), ' ', el('span', { class: 'docs-place' }, t(`docs.in.${parameter.in}`))), input),
  };
}

/**
 * @param {Route} route
 * @param {string[]} types
 */
function mediaField(route, types) {
  const id = `try-${route.id}-media`;
  const select = el('select', { id, class: 'input' }, ...types.map((type) => el('option', {}, type)));
  return { select, view: el('div', { class: 'field' }, el('label', { for: id }, t('docs.media')), select) };
}

/**
 * @param {Json} openapi
 * @param {Route} route
 */
function bodyField(openapi, route) {
  const id = `try-${route.id}-body`;
  const area = el('textarea', { id, class: 'input docs-area', rows: 6, spellcheck: 'false', autocapitalize: 'none' });
  area.value = written(exampleOf(openapi, resolve(openapi, route.bodies[0].schema)), route.bodies[0].type);
  return { area, view: el('div', { class: 'field' }, el('label', { for: id }, t('docs.body')), area) };
}

/**
 * An example as a body of a type.
 * @param {any} example
 * @param {string} type
 */
function written(example, type) {
  if (type !== 'application/x-www-form-urlencoded') return JSON.stringify(example ?? {}, null, 2);
  return pairs(example ?? {}).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
}

/**
 * As jQuery writes it: `items[0][goodsId]`.
 * @param {any} value
 * @param {string} [name]
 * @returns {[string, string][]}
 */
function pairs(value, name = '') {
  if (value === null || typeof value !== 'object') return [[name, String(value ?? '')]];
  return Object.entries(value).flatMap(([key, one]) => pairs(one, name ? `${name}[${key}]` : key));
}

/**
 * @param {Route} route
 * @param {Filled[]} fields
 * @param {{type: string, text: string} | null} body
 */
function request(route, fields, body) {
  const query = new URLSearchParams();
  const headers = headersFor();
  let path = route.path;
  for (const { parameter, value } of fields) {
    const text = value();
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(text));
    else if (text === '') continue;
    else if (parameter.in === 'query') query.set(parameter.name, text);
    else headers[parameter.name] = text;
  }
  const hasBody = body !== null && (body.text.trim() !== '' || route.needsBody);
  if (hasBody) headers['Content-Type'] = body.type;
  return { method: route.method, url: query.size ? `${path}?${query}` : path, headers, body: hasBody ? body.text : null };
}

/**
 * Sends, and shows what comes as it comes: a stream has no end.
 * @param {ReturnType<typeof request>} asked
 * @param {HTMLElement} answer
 * @param {AbortController} abort
 */
async function perform({ method, url, headers, body }, answer, abort) {
  answer.replaceChildren(el('p', { class: 'docs-about' }, t('docs.waiting')));
  const began = performance.now();
  try {
    const response = await fetch(url, { method, headers, body, credentials: 'same-origin', cache: 'no-store', signal: abort.signal });
    const millis = Math.round(performance.now() - began);
    const text = el('code', {});
    answer.replaceChildren(...shown({ method, url, headers, body }, response, millis, text));
    await read(response, text);
  } catch (error) {
    if (!abort.signal.aborted) answer.replaceChildren(el('p', { class: 'form-error', role: 'alert' }, t('error.network')));
    else if (answer.querySelector('.docs-about')) answer.replaceChildren();
  }
}

/**
 * @param {ReturnType<typeof request>} asked
 * @param {Response} response
 * @param {number} millis
 * @param {HTMLElement} text
 */
function shown({ method, url, headers, body }, response, millis, text) {
  const sent = [`${method} ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${name === 'Authorization' ? 'Bearer …' : value}`)];
  const came = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  return [
    el('h4', {}, t('docs.request')), code(sent.join('\n') + (body === null ? '' : `\n\n${body}`), t('docs.request')),
    el('h4', {}, t('docs.answer')),
    el('p', { class: 'docs-came' }, el('span', { class: `docs-status docs-status-${String(response.status)[0]}`, data: { role: 'status' } }, String(response.status)),
      ' ', response.statusText, ' · ', t('docs.took', { millis })),
    code(came.join('\n'), t('docs.headers')),
    el('pre', { class: 'docs-code', tabindex: '0', role: 'region', aria: { label: t('docs.answer') }, data: { role: 'answer' } }, text),
  ];
}

/**
 * @param {Response} response
 * @param {HTMLElement} shownText
 */
async function read(response, shownText) {
  if (!response.body) return;
  const isJson = /json/.test(response.headers.get('Content-Type') ?? '');
  let text = '';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += part.value;
    if (text.length > MOST_SHOWN) {
      await reader.cancel();
      shownText.textContent = `${text.slice(0, MOST_SHOWN)}\n…`;
      return;
    }
    if (!isJson) shownText.textContent = text;
  }
  shownText.textContent = isJson ? pretty(text) : text;
}

/** @param {string} text */
function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}
