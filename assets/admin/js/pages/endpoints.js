// @ts-check
/**
 * `/admin/endpoints`: other systems that are told what happens here.
 * Not for: what went to one of them (endpoint.js).
 *
 * @import { Endpoint } from '../api.js'
 */

import { el, show } from '../../../js/dom.js';
import { emptyState } from '../../../js/states.js';
import { admin } from '../api.js';
import { askEndpoint, endpointReason, endpointState, showSecret } from '../endpoint-form.js';
import { List } from '../list.js';
import { badge, pageHead } from '../pieces.js';
import { startPage } from '../shell.js';
import { timeTag } from '../time.js';
import { t } from '../i18n.js';

/** @type {List<Endpoint>} */
const list = new List({
  caption: t('nav.endpoints'), key: ({ endpointId }) => endpointId,
  columns: [
    { label: t('endpoint.url'), kind: 'what', cell: (endpoint) => el('a', { class: 'row-link', href: `/admin/endpoint?endpointId=${endpoint.endpointId}` }, endpoint.url) },
    { label: t('endpoint.events'), cell: ({ events }) => el('span', { class: 'badges' }, ...events.map((event) => badge(t(`event.${event}`)))) },
    { label: t('state'), cell: (endpoint) => el('span', {}, endpointState(endpoint), endpointReason(endpoint)) },
    { label: t('made'), kind: 'tight', cell: (endpoint) => timeTag(endpoint.createdAt) },
  ],
  read: async () => ({ rows: await admin.endpoints() }),
  empty: () => emptyState({ icon: 'arrow', title: t('endpoints.none.title'), text: t('endpoints.none.text'), action: makeButton() }),
});

if (await startPage('endpoints')) {
  show(pageHead({ title: t('nav.endpoints'), lead: t('endpoints.lead'), actions: [makeButton()] }), list.element);
  await list.load();
}

function makeButton() {
  const button = el('button', { type: 'button', class: 'button button-primary', data: { action: 'make-endpoint' } }, t('endpoints.make'));
  button.addEventListener('click', () => askEndpoint({
    title: t('endpoints.make'), submit: t('endpoints.make'),
    save: async (fields) => {
      const { secret } = await admin.makeEndpoint(fields);
      await list.load();
      showSecret(secret);
    },
  }));
  return button;
}
