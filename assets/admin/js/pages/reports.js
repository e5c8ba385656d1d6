// @ts-check
/**
 * `/admin/reports`: messages of the chats that visitors reported; dismiss, or mute who said it.
 * Not for: accounts as such (people.js), the chat itself (../../../js/chat-panel.js).
 *
 * @import { Report } from '../api.js'
 */

import { el, show } from '../../../js/dom.js';
import { emptyState, notice } from '../../../js/states.js';
import { admin } from '../api.js';
import { ask } from '../dialogs.js';
import { filters } from '../filters.js';
import { List } from '../list.js';
import { badge, pageHead, workButton } from '../pieces.js';
import { startPage } from '../shell.js';
import { timeTag } from '../time.js';
import { t } from '../i18n.js';

const bar = filters({
  choices: [{ name: 'state', label: t('state'), options: [['', t('filter.all')], ['open', t('reports.open')], ['closed', t('reports.closed')]] }],
  onChange: () => list.load(),
});
/** @type {List<Report>} */
const list = new List({
  caption: t('nav.reports'), key: ({ reportId }) => reportId,
  columns: [
    { label: t('reports.message'), kind: 'what', cell: (report) => [el('strong', { dir: 'auto' }, report.message), el('span', { class: 'sub' }, place(report))] },
    { label: t('reports.by'), cell: author },
    { label: t('reports.reporter'), cell: ({ reporter }) => reporter?.nickname ?? t('reports.guest') },
    { label: t('state'), kind: 'corner', cell: (report) => el('span', { class: 'badges', data: { role: 'report-state' } }, ...states(report)) },
    { label: t('reports.when'), kind: 'tight', cell: ({ reportedAt }) => timeTag(reportedAt) },
    { label: t('actions'), hidden: true, kind: 'tight', cell: actions },
  ],
  read: async (cursor) => {
    const { reports, nextCursor } = await admin.reports({ ...bar.values(), cursor });
    return { rows: reports, next: nextCursor };
  },
  empty: () => emptyState({ icon: 'check', title: t('reports.none.title'), text: t('reports.none.text') }),
});

if (await startPage('reports')) {
  show(pageHead({ title: t('nav.reports'), lead: t('reports.lead') }), bar.element, list.element);
  await list.load();
}

/**
 * The page beside which it was said: rooms of goods are called after them.
 * @param {Report} report
 */
function place({ room, date }) {
  const goodsId = /^goods-(\d+)$/.exec(room)?.[1];
  return [goodsId ? el('a', { href: `/detail.html?goodsId=${goodsId}` }, room) : room, ' · ', timeTag(date)];
}

/** @param {Report} report */
function author({ nickname, user }) {
  if (!user) return [nickname, el('span', { class: 'sub' }, t('reports.guest'))];
  return el('a', { href: `/admin/people?q=${encodeURIComponent(user.nickname)}` }, nickname);
}

/** @param {Report} report */
function states({ outcome, muted }) {
  return [
    outcome === null ? badge(t('reports.open'), 'warn') : badge(t(`reports.${outcome}`), outcome === 'muted' ? 'bad' : 'good'),
    ...(muted && outcome !== 'muted' ? [badge(t('people.muted'), 'bad')] : []),
  ];
}

/** @param {Report} report */
function actions(report) {
  const name = (/** @type {string} */ key) => `${t(key)}: ${report.nickname}`;
  return el('div', { class: 'row-actions' },
    report.outcome === null ? workButton(t('reports.dismiss'), async () => list.replace(await admin.closeReport(report.reportId, 'dismiss')), { action: 'dismiss-report', name: name('reports.dismiss') }) : null,
    report.muted ? null : workButton(t('reports.mute'), async () => mute(report), { action: 'mute-report', name: name('reports.mute') }));
}

/** @param {Report} report */
function mute(report) {
  ask({
    title: t('people.sure', { nickname: report.nickname, what: t('reports.mute') }), text: t(report.user ? 'people.mute.text' : 'reports.mute.guest'), yes: t('reports.mute'), danger: true,
    work: async () => {
      await admin.closeReport(report.reportId, 'mute');
      notice(t('saved'));
      // Others of the same speaker say so, too.
      await list.load();
    },
  });
}
