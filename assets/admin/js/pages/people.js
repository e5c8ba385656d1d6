// @ts-check
/**
 * `/admin/people`: accounts; ban, role, silence in the chat, the end of log-ins.
 * Not for: one's own account (the shop's /account.html).
 *
 * @import { Person } from '../api.js'
 */

import { el, show } from '../../../js/dom.js';
import { session } from '../../../js/session.js';
import { emptyState, notice } from '../../../js/states.js';
import { admin } from '../api.js';
import { ask, closeButton, openDialog } from '../dialogs.js';
import { filters, nothingFits } from '../filters.js';
import { List } from '../list.js';
import { badge, facts, formatNumber, pageHead, workButton } from '../pieces.js';
import { startPage } from '../shell.js';
import { timeTag } from '../time.js';
import { t } from '../i18n.js';

const bar = filters({
  search: t('people.search'),
  choices: [
    { name: 'role', label: t('people.role'), options: [['', t('filter.all')], ['admin', t('role.admin')], ['member', t('role.member')]] },
    { name: 'banned', label: t('state'), options: [['', t('filter.all')], ['false', t('people.welcome')], ['true', t('people.banned')]] },
  ],
  onChange: () => list.load(),
});
/** @type {List<Person>} */
const list = new List({
  caption: t('nav.people'), key: ({ userId }) => userId,
  columns: [
    { label: t('people.name'), kind: 'what', cell: (person) => [el('strong', {}, person.nickname), el('span', { class: 'sub' }, person.email)] },
    { label: t('people.role'), cell: ({ role }) => role === 'admin' ? badge(t('role.admin'), 'good') : t('role.member') },
    { label: t('state'), kind: 'corner', cell: (person) => el('span', { class: 'badges', data: { role: 'person-state' } }, ...states(person)) },
    { label: t('people.orders'), kind: 'num', cell: ({ orders }) => formatNumber(orders) },
    { label: t('people.sessions'), kind: 'num', cell: ({ sessions }) => formatNumber(sessions) },
    { label: t('people.since'), kind: 'tight', cell: ({ createdAt }) => timeTag(createdAt) },
    { label: t('actions'), hidden: true, kind: 'tight', cell: (person) => el('div', { class: 'row-actions' },
      workButton(t('people.manage'), async () => manage(person), { action: 'manage-person', name: `${t('people.manage')}: ${person.nickname}` })) },
  ],
  read: async (cursor) => {
    const { users, nextCursor } = await admin.people({ ...bar.values(), cursor });
    return { rows: users, next: nextCursor };
  },
  empty: () => Object.keys(bar.values()).length ? nothingFits() : emptyState({ icon: 'user', title: t('people.none') }),
});

if (await startPage('people')) {
  show(pageHead({ title: t('nav.people') }), bar.element, list.element);
  await list.load();
}

/** @param {Person} person */
function states({ banned, muted, hidePurchases }) {
  const told = [
    banned ? badge(t('people.banned'), 'bad') : null, muted ? badge(t('people.muted'), 'warn') : null,
    hidePurchases ? badge(t('people.hides')) : null,
  ].filter((state) => state !== null);
  return told.length ? told : [el('span', { class: 'muted' }, t('people.welcome'))];
}

/** @param {Person} person */
function manage(person) {
  const isSelf = person.userId === session.user?.userId;
  const close = () => dialog.close();
  const act = (/** @type {string} */ key, /** @type {() => void} */ work, kind = 'quiet') =>
    el('button', { type: 'button', class: `button button-${kind}`, data: { action: key.replace('people.', '') }, on: { click: () => { close(); work(); } } }, t(key));
  const dialog = openDialog(person.nickname,
    facts([
      [t('people.email'), person.email], [t('people.role'), t(`role.${person.role}`)], [t('people.since'), timeTag(person.createdAt)],
      [t('people.orders'), el('a', { href: `/admin/orders?q=${encodeURIComponent(person.nickname)}` }, formatNumber(person.orders))],
      [t('people.sessions'), formatNumber(person.sessions)],
    ]),
    isSelf ? el('p', { class: 'note' }, t('people.self')) : null,
    el('div', { class: 'manage' },
      person.banned ? act('people.unban', () => change(person, { banned: false }, 'people.unban'))
        : isSelf ? null : act('people.ban', () => change(person, { banned: true }, 'people.ban'), 'danger'),
      person.muted === undefined || isSelf ? null : person.muted ? act('people.unmute', () => change(person, { muted: false }, 'people.unmute'))
        : act('people.mute', () => change(person, { muted: true }, 'people.mute')),
      isSelf ? null : person.role === 'admin' ? act('people.demote', () => change(person, { role: 'member' }, 'people.demote'))
        : act('people.promote', () => change(person, { role: 'admin' }, 'people.promote')),
      act('people.log-out', () => logOut(person))),
    closeButton({ kind: 'quiet', autofocus: true }));
}

/**
 * @param {Person} person
 * @param {{role?: string, banned?: boolean, muted?: boolean}} fields
 * @param {string} key of the button's message, with `.text` what it means
 */
function change(person, fields, key) {
  ask({
    title: t('people.sure', { nickname: person.nickname, what: t(key) }), text: t(`${key}.text`), yes: t(key), danger: key === 'people.ban',
    work: async () => {
      list.replace({ ...person, ...await admin.changePerson(person.userId, fields) });
      notice(t('saved'));
    },
  });
}

/** @param {Person} person */
function logOut(person) {
  ask({
    title: t('people.sure', { nickname: person.nickname, what: t('people.log-out') }), text: t('people.log-out.text'), yes: t('people.log-out'),
    work: async () => {
      await admin.logOutPerson(person.userId);
      list.replace({ ...person, sessions: 0 });
      notice(t('people.logged-out', { nickname: person.nickname }));
    },
  });
}
