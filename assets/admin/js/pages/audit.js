// @ts-check
/**
 * `/admin/audit`: what admins did, and what programs did in their place.
 * Not for: what shoppers did (orders.js).
 *
 * @import { AuditEntry } from '../api.js'
 */

import { el, show } from '../../../js/dom.js';
import { emptyState } from '../../../js/states.js';
import { admin } from '../api.js';
import { ACTIONS } from '../audit-actions.js';
import { filters, nothingFits } from '../filters.js';
import { List } from '../list.js';
import { badge, pageHead } from '../pieces.js';
import { startPage } from '../shell.js';
import { timeTag } from '../time.js';
import { has, t } from '../i18n.js';

const bar = filters({
  search: t('audit.search'),
  choices: [{ name: 'action', label: t('audit.action'), options: [['', t('filter.all')], ...ACTIONS.map((action) => /** @type {[string, string]} */ ([action, actionName(action)]))] }],
  onChange: () => list.load(),
});
/** @type {List<AuditEntry>} */
const list = new List({
  caption: t('nav.audit'), key: ({ auditId }) => auditId,
  columns: [
    { label: t('audit.action'), kind: 'what', cell: ({ action }) => badge(actionName(action)) },
    { label: t('audit.subject'), cell: ({ subject }) => subject },
    { label: t('audit.details'), cell: details },
    { label: t('audit.who'), cell: (entry) => entry.admin?.nickname ?? el('span', { class: 'muted' }, t('audit.program')) },
    { label: t('audit.when'), kind: 'tight corner', cell: ({ date }) => timeTag(date) },
  ],
  read: async (cursor) => {
    const { entries, nextCursor } = await admin.audit({ ...bar.values(), cursor });
    return { rows: entries, next: nextCursor };
  },
  empty: () => Object.keys(bar.values()).length ? nothingFits() : emptyState({ icon: 'check', title: t('audit.none.title'), text: t('audit.none.text') }),
});

if (await startPage('audit')) {
  show(pageHead({ title: t('nav.audit'), lead: t('audit.lead') }), bar.element, list.element);
  await list.load();
}

/**
 * A server may know more than these pages do.
 * @param {string} action
 */
function actionName(action) {
  return has(`audit.${action}`) ? t(`audit.${action}`) : action;
}

/**
 * What of it is not in the subject: each detail as a name and what it was, what it is.
 * @param {AuditEntry} entry
 */
function details({ details: given }) {
  const lines = Object.entries(given ?? {});
  return lines.length ? el('span', {}, ...lines.map(([name, value]) => el('span', { class: 'sub' }, `${name}: ${written(value)}`))) : null;
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function written(value) {
  if (Array.isArray(value) && value.length === 2 && value.every((of) => of === null || typeof of !== 'object')) return `${written(value[0])} → ${written(value[1])}`;
  if (value === null) return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
