// @ts-check
/**
 * `/admin/endpoint?endpointId=`: what went to another system, every try, and what can be sent again.
 * Not for: making one (endpoints.js).
 *
 * @import { Attempt, Delivery, Endpoint } from '../api.js'
 */

import { el, show } from '../../../js/dom.js';
import { loginRequired } from '../../../js/login-required.js';
import { emptyState, errorState, notice, noticeOnNextPage } from '../../../js/states.js';
import { admin } from '../api.js';
import { ask, askForm, closeButton, openDialog } from '../dialogs.js';
import { askEndpoint, endpointReason, endpointState, showSecret } from '../endpoint-form.js';
import { textField } from '../fields.js';
import { filters, nothingFits } from '../filters.js';
import { List, unavailable } from '../list.js';
import { badge, callout, facts, formatNumber, pageHead, panel, workButton } from '../pieces.js';
import { startPage } from '../shell.js';
import { now, timeTag } from '../time.js';
import { has, t } from '../i18n.js';

const endpointId = new URLSearchParams(location.search).get('endpointId') ?? '';
const STATES = /** @type {const} */ (['waiting', 'delivered', 'failed']);
/** @type {Record<string, '' | 'good' | 'bad' | 'warn'>} */
const KINDS = { waiting: 'warn', delivered: 'good', failed: 'bad' };
/** How often what waits is looked at again. */
const LOOK_AGAIN_MS = 3_000;

const states = filters({
  choices: [{ name: 'status', label: t('state'), options: [['', t('filter.all')], ...STATES.map((state) => /** @type {[string, string]} */ ([state, t(`delivery.${state}`)]))] }],
  onChange: () => deliveries.load(),
});
/** @type {List<Delivery>} */
const deliveries = new List({
  caption: t('deliveries'), key: ({ deliveryId, updatedAt }) => `${deliveryId} ${updatedAt}`,
  columns: [
    { label: t('delivery.type'), kind: 'what', cell: ({ type, messageId }) => [el('strong', {}, eventName(type)), el('span', { class: 'sub' }, messageId)] },
    { label: t('delivery.event-at'), kind: 'tight', cell: ({ eventAt }) => timeTag(eventAt) },
    { label: t('state'), kind: 'corner', cell: (delivery) => el('span', {}, badge(t(`delivery.${delivery.status}`), KINDS[delivery.status]),
      delivery.nextAttemptAt && delivery.status === 'waiting' ? el('span', { class: 'sub' }, t('delivery.next'), ' ', timeTag(delivery.nextAttemptAt)) : null) },
    { label: t('delivery.tries'), kind: 'num', cell: ({ tries }) => formatNumber(tries) },
    { label: t('actions'), hidden: true, kind: 'tight', cell: actions },
  ],
  read: async (cursor) => {
    const answer = await admin.deliveries(endpointId, { ...states.values(), cursor });
    return { rows: answer.deliveries, next: answer.nextCursor };
  },
  empty: () => states.values().status ? nothingFits() : emptyState({ icon: 'arrow', title: t('deliveries.none.title'), text: t('deliveries.none.text') }),
});

if (await startPage('endpoints')) {
  await read();
  setInterval(() => {
    if (!document.hidden && deliveries.isShort && deliveries.rows.some(({ status }) => status === 'waiting')) deliveries.refresh();
  }, LOOK_AGAIN_MS);
}

/** @param {string} type */
function eventName(type) { return has(`event.${type}`) ? t(`event.${type}`) : type; }

async function read() {
  try {
    draw(await admin.endpoint(endpointId));
  } catch (error) {
    if (!loginRequired(error)) show(unavailable(error, 'h1') ?? errorState(error, read));
    return;
  }
  await deliveries.load();
}

/** @param {Endpoint} endpoint */
function draw(endpoint) {
  show(
    pageHead({
      title: endpoint.url, back: ['/admin/endpoints', t('nav.endpoints')], beside: [endpointState(endpoint)],
      actions: [
        endpoint.enabled ? workButton(t('endpoint.test'), async () => {
          await admin.testEndpoint(endpointId);
          notice(t('endpoint.tested'));
          await deliveries.refresh();
        }, { action: 'test-endpoint' }) : null,
        workButton(t('endpoint.change'), async () => askEndpoint({ title: t('endpoint.change'), submit: t('save'), endpoint, save: async (fields) => {
          await admin.changeEndpoint(endpointId, fields);
          notice(t('saved'));
          await read();
        } }), { action: 'change-endpoint' }),
        workButton(t('endpoint.remove'), async () => askRemove(endpoint), { kind: 'danger', action: 'remove-endpoint' }),
      ],
    }),
    trouble(endpoint),
    el('div', { class: 'columns' },
      el('div', {}, el('div', { class: 'panel-head' }, el('h2', {}, t('deliveries')), states.element), deliveries.element),
      el('div', {},
        panel(t('endpoint.about'), facts([
          [t('endpoint.events'), el('span', { class: 'badges' }, ...endpoint.events.map((event) => badge(eventName(event))))],
          [t('made'), timeTag(endpoint.createdAt)],
          [t('endpoint.lost'), endpoint.lost ? formatNumber(endpoint.lost) : ''],
          [t('endpoint.old-secret'), endpoint.oldSecretUntil ? timeTag(endpoint.oldSecretUntil) : ''],
        ]), el('div', { class: 'page-actions' },
          workButton(t('endpoint.replay'), async () => askReplay(), { action: 'replay-endpoint' }),
          workButton(t('source.rotate'), async () => askRotate(), { action: 'rotate-endpoint' }),
          endpoint.enabled ? workButton(t('endpoint.disable'), () => setEnabled(false), { action: 'disable-endpoint' }) : null)))));
}

/** @param {Endpoint} endpoint */
function trouble(endpoint) {
  if (endpoint.enabled) return endpoint.failingSince ? callout('warn', endpointReason(endpoint)) : null;
  return el('div', { class: `callout ${endpoint.disabledBy === 'hand' ? '' : 'callout-bad'}` },
    el('div', {}, el('strong', {}, t('endpoint.off')), endpointReason(endpoint)),
    workButton(t('endpoint.enable'), () => setEnabled(true), { kind: 'primary', action: 'enable-endpoint' }));
}

/** @param {boolean} enabled */
async function setEnabled(enabled) {
  await admin.changeEndpoint(endpointId, { enabled });
  notice(t(enabled ? 'endpoint.enabled' : 'endpoint.disabled'));
  await read();
}

function askRotate() {
  ask({
    title: t('source.rotate'), text: t('endpoint.rotate.text'), yes: t('source.rotate'),
    work: async () => {
      const { secret } = await admin.rotateEndpoint(endpointId);
      await read();
      showSecret(secret);
    },
  });
}

function askReplay() {
  const hourAgo = new Date(now() - 3_600_000);
  const local = new Date(hourAgo.getTime() - hourAgo.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  askForm({
    title: t('endpoint.replay'), text: t('endpoint.replay.text'), submit: t('endpoint.replay'),
    fields: [textField({ name: 'since', label: t('endpoint.replay.since'), type: 'datetime-local', value: local, required: true })],
    onSubmit: async ({ since }) => {
      await admin.replayEndpoint(endpointId, since ? new Date(since).toISOString() : '');
      notice(t('endpoint.replayed'));
      await deliveries.refresh();
    },
  });
}

/** @param {Delivery} delivery */
function actions(delivery) {
  const name = `${eventName(delivery.type)} ${delivery.deliveryId}`;
  return el('div', { class: 'row-actions' },
    workButton(t('delivery.attempts'), async () => showAttempts(delivery), { action: 'show-attempts', name: `${t('delivery.attempts')}: ${name}` }),
    workButton(t('delivery.resend'), async () => {
      await admin.resend(endpointId, delivery.deliveryId);
      notice(t('delivery.resent'));
      await deliveries.refresh();
    }, { action: 'resend', name: `${t('delivery.resend')}: ${name}` }));
}

/** @param {Delivery} delivery */
async function showAttempts({ deliveryId, type }) {
  const { attempts } = await admin.delivery(endpointId, deliveryId);
  openDialog(eventName(type), attempts.length
    ? el('ol', { class: 'timeline', role: 'list' }, ...attempts.toReversed().map(attemptLine)) : el('p', { class: 'muted' }, t('delivery.no-attempts')),
  closeButton({ autofocus: true }));
}

/** @param {Attempt} attempt */
function attemptLine({ at, status, error, millis, answer }) {
  const good = status !== null && status >= 200 && status < 300;
  return el('li', { class: good ? null : 'is-bad' }, el('div', {},
    el('strong', {}, status === null ? error ?? t('delivery.no-answer') : `HTTP ${status}`), ' ', el('span', { class: 'muted' }, `${formatNumber(millis)} ms · `, timeTag(at)),
    status !== null && error ? el('span', { class: 'sub' }, error) : null,
    answer ? el('pre', { class: 'raw', tabindex: 0 }, answer) : null));
}

/** @param {Endpoint} endpoint */
function askRemove({ url }) {
  ask({
    title: t('endpoint.remove.title'), text: t('endpoint.remove.text', { url }), yes: t('endpoint.remove'), danger: true,
    work: async () => {
      await admin.removeEndpoint(endpointId);
      noticeOnNextPage(t('endpoint.removed'));
      location.assign('/admin/endpoints');
    },
  });
}
