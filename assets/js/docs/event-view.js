// @ts-check
/**
 * An event: its line, and when opened what it says, on which transports, and how it is acknowledged.
 * Not for: hearing any.
 */

import { el } from '../dom.js';
import { t } from '../i18n.js';
import { exampleView, schemaView } from './schema-view.js';
import { words } from './words.js';

/** @import { Event, Json } from './contract.js' */

/**
 * @param {Json} asyncapi
 * @param {Event} event
 */
export function eventView(asyncapi, event) {
  const details = el('details', { class: 'docs-item', id: event.id },
    el('summary', { class: 'docs-line' },
      el('span', { class: `docs-method docs-${event.direction}` }, t(`docs.${event.direction}.short`)),
      el('code', { class: 'docs-path' }, event.name),
      el('span', { class: 'docs-summary', lang: 'en' }, event.about)));
  details.addEventListener('toggle', () => details.append(body(asyncapi, event)), { once: true });
  return details;
}

/**
 * @param {Json} asyncapi
 * @param {Event} event
 */
function body(asyncapi, { id, about, channels, payload, ack }) {
  return el('div', { class: 'docs-body' },
    el('p', { lang: 'en' }, words(about)),
    el('p', { class: 'docs-who-line' }, t('docs.on', { transports: channels.join(', ') }), ' ', el('a', { href: `#${id}` }, t('docs.link'))),
    el('section', {}, el('h3', {}, t('docs.payload')),
      payload ? schemaView(asyncapi, payload) : el('p', { class: 'docs-about' }, t('docs.payload.none')),
      payload ? exampleView(asyncapi, payload) : null),
    ack ? el('section', {}, el('h3', {}, t('docs.ack')), schemaView(asyncapi, ack)) : null);
}
