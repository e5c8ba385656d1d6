// @ts-check
/**
 * `/admin/listen-keys`: which other pages may hear the bell, and the line to put into them.
 * Not for: how the widget looks (alerts.js).
 *
 * @import { ListenKey } from '../api.js'
 */

import { el, show } from '../../../js/dom.js';
import { emptyState, notice } from '../../../js/states.js';
import { admin } from '../api.js';
import { ask, askForm, closeButton, openDialog } from '../dialogs.js';
import { selectField, textField } from '../fields.js';
import { roomIcon } from '../icons.js';
import { List } from '../list.js';
import { badge, copyBox, pageHead, workButton } from '../pieces.js';
import { startPage } from '../shell.js';
import { snippet } from '../snippet.js';
import { timeTag } from '../time.js';
import { t } from '../i18n.js';

/** @type {List<ListenKey>} */
const list = new List({
  caption: t('nav.keys'), key: ({ key }) => key,
  columns: [
    { label: t('keys.name'), kind: 'what', cell: (key) => [el('strong', {}, key.name ?? t('keys.unnamed')), el('span', { class: 'sub' }, key.key)] },
    { label: t('keys.origins'), cell: (key) => key.origins.map((origin) => el('span', { class: 'sub' }, origin)) },
    { label: t('keys.display'), cell: (key) => t(`display.${key.display}`) },
    { label: t('made'), kind: 'tight', cell: (key) => timeTag(key.createdAt) },
    { label: t('state'), kind: 'corner', cell: (key) => key.revokedAt ? badge(t('keys.revoked'), 'bad') : badge(t('keys.holds'), 'good') },
    { label: t('actions'), hidden: true, kind: 'tight', cell: actions },
  ],
  read: async () => ({ rows: await admin.listenKeys() }),
  empty: () => emptyState({ icon: 'bell', title: t('keys.none.title'), text: t('keys.none.text'), action: makeButton() }),
});

if (await startPage('keys')) {
  show(pageHead({ title: t('nav.keys'), lead: t('keys.lead'), actions: [makeButton()] }), list.element);
  await list.load();
}

function makeButton() {
  const button = el('button', { type: 'button', class: 'button button-primary', data: { action: 'make-key' } }, t('keys.make'));
  button.addEventListener('click', () => askForm({
    title: t('keys.make'), text: t('keys.make.text'), submit: t('keys.make'),
    fields: [
      textField({ name: 'origins', label: t('keys.origins'), hint: t('keys.origins.hint'), required: true, code: true, placeholder: 'https://my-shop.example' }),
      textField({ name: 'name', label: t('keys.name'), hint: t('optional') }),
      selectField({ name: 'display', label: t('keys.display'), options: [['masked', t('display.masked')], ['full', t('display.full')]] }),
    ],
    onSubmit: async ({ origins, name, display }) => {
      const key = await admin.makeListenKey({ origins: origins.split(/[\s,]+/).filter(Boolean), display, ...name ? { name } : {} });
      await list.load();
      showSnippet(key);
    },
  }));
  return button;
}

/** @param {ListenKey} key */
function actions(key) {
  if (key.revokedAt) return null;
  return el('div', { class: 'row-actions' },
    workButton(t('keys.snippet'), async () => showSnippet(key), { action: 'show-snippet', name: `${t('keys.snippet')}: ${key.name ?? key.key}`, drawn: roomIcon('outgoing') }),
    workButton(t('keys.revoke'), async () => ask({
      title: t('keys.revoke.title'), text: t('keys.revoke.text'), yes: t('keys.revoke'), danger: true,
      work: async () => {
        await admin.revokeListenKey(key.key);
        notice(t('keys.revoked.done'));
        await list.load();
      },
    }), { kind: 'danger', action: 'revoke-key', name: `${t('keys.revoke')}: ${key.name ?? key.key}` }));
}

/** @param {ListenKey} key */
function showSnippet(key) {
  openDialog(t('keys.snippet.title'), el('p', {}, t('keys.snippet.text', { origins: key.origins.join(', ') })),
    copyBox(t('keys.snippet'), snippet(key.key), 'snippet'), closeButton({ autofocus: true }));
}
