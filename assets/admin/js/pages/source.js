// @ts-check
/**
 * `/admin/source?sourceId=`: what a source said, what became of it and why; its settings, its secret, its end.
 * Not for: making one (sources.js).
 *
 * @import { Receipt, Source } from '../api.js'
 */

import { el, show } from '../../../js/dom.js';
import { loginRequired } from '../../../js/login-required.js';
import { emptyState, errorState, notice, noticeOnNextPage } from '../../../js/states.js';
import { admin } from '../api.js';
import { diagnosis, sourceState } from '../diagnosis.js';
import { ask, askForm, closeButton, openDialog } from '../dialogs.js';
import { textField } from '../fields.js';
import { filters, nothingFits } from '../filters.js';
import { guide, hookUrl } from '../guides.js';
import { List, unavailable } from '../list.js';
import { badge, copyBox, facts, pageHead, panel, workButton } from '../pieces.js';
import { startPage } from '../shell.js';
import { changeSettings } from '../source-settings.js';
import { timeTag } from '../time.js';
import { OUTCOMES, outcomeBadge, outcomeName, whySentence } from '../why.js';
import { t } from '../i18n.js';

const sourceId = new URLSearchParams(location.search).get('sourceId') ?? '';
/** Enough to see what goes wrong. */
const LOOKED_AT = 50;

const outcomes = filters({
  choices: [{ name: 'outcome', label: t('receipt.outcome'), options: [['', t('filter.all')], ...OUTCOMES.map((outcome) => /** @type {[string, string]} */ ([outcome, outcomeName(outcome)]))] }],
  onChange: () => receipts.load(),
});
/** @type {List<Receipt>} */
const receipts = new List({
  caption: t('receipts'), key: ({ receiptId }) => receiptId,
  columns: [
    { label: t('receipt.number'), kind: 'what', cell: (receipt) => [receipt.orderId ? el('a', { href: `/admin/order?orderId=${receipt.orderId}` }, receipt.number ?? `#${receipt.orderId}`) : receipt.number ?? '–',
      el('span', { class: 'sub' }, [receipt.topic ?? '', receipt.via === 'poll' ? t('receipt.polled') : ''].filter(Boolean).join(' · '))] },
    { label: t('receipt.at'), kind: 'tight', cell: (receipt) => timeTag(receipt.receivedAt) },
    { label: t('receipt.outcome'), kind: 'corner', cell: (receipt) => outcomeBadge(receipt.outcome) },
    { label: t('receipt.why'), cell: (receipt) => el('span', { data: { role: 'receipt-why' } }, whySentence(receipt.why)) },
    { label: t('actions'), hidden: true, kind: 'tight', cell: actions },
  ],
  read: async (cursor) => {
    const answer = await admin.receipts(sourceId, { ...outcomes.values(), cursor });
    return { rows: answer.receipts, next: answer.nextCursor };
  },
  empty: () => outcomes.values().outcome ? nothingFits() : emptyState({ icon: 'box', title: t('receipts.none.title'), text: t('receipts.none.text') }),
});
const findings = el('div', {});

if (await startPage('sources')) await read();

async function read() {
  try {
    draw(await admin.source(sourceId));
  } catch (error) {
    if (!loginRequired(error)) show(unavailable(error, 'h1') ?? errorState(error, read));
    return;
  }
  await Promise.all([receipts.load(), look()]);
}

/** @param {Source} source */
function draw(source) {
  document.title = `${source.name} · ${t('room.name')}`;
  show(
    pageHead({
      title: source.name, back: ['/admin/sources', t('nav.sources')], beside: [badge(t(`kind.${source.kind}`)), sourceState(source)],
      actions: [
        workButton(t('source.settings'), async () => changeSettings(source, read), { action: 'source-settings' }),
        workButton(t('source.remove'), async () => askRemove(source), { kind: 'danger', action: 'remove-source' }),
      ],
    }),
    el('div', { class: 'columns' },
      el('div', {},
        el('section', { class: 'panel' },
          el('div', { class: 'panel-head' }, el('h2', {}, t('findings')), workButton(t('findings.again'), async () => { await Promise.all([look(), receipts.refresh()]); }, { action: 'look-again' })), findings),
        el('div', { class: 'panel-head' }, el('h2', {}, t('receipts')), outcomes.element), receipts.element),
      el('div', {},
        panel(t('source.address'), copyBox(t('source.url'), hookUrl(source), 'source-url'), secrets(source)),
        panel(t('source.settings'), facts([
          [t('source.buyer'), t(`buyer.${source.buyer}`)], [t('source.goods-name'), source.goodsName], [t('source.within'), source.announceWithin],
          [t('source.rate'), t('source.rate.value', { count: source.rate })], [t('source.currency'), source.currency], [t('source.poll'), source.pollUrl],
          [t('source.polled'), source.polled ? timeTag(source.polled.at) : ''], [t('made'), timeTag(source.createdAt)],
        ])),
        el('details', { class: 'panel' }, el('summary', {}, t('guide.title')), guide(source, null)))));
}

/** @param {Source} source */
function secrets(source) {
  const old = source.secrets.filter(({ endsAt }) => endsAt);
  return el('div', { class: 'form' },
    el('p', { class: 'note' }, t('source.secret.since'), ' ', timeTag(source.secrets.at(-1)?.createdAt), old.length ? [' · ', t('source.secret.old'), ' ', timeTag(old[0].endsAt)] : null),
    el('div', { class: 'page-actions' },
      workButton(t('source.rotate'), async () => rotate(source), { action: 'rotate-source' }),
      old.length ? workButton(t('source.drop-old'), async () => {
        await admin.rotateSource(sourceId, { dropOld: true });
        notice(t('source.dropped'));
        await read();
      }, { action: 'drop-old' }) : null));
}

/** @param {Source} source */
function rotate(source) {
  if (source.kind === 'shopify' || source.kind === 'stripe') {
    askForm({
      title: t('source.rotate'), text: t('source.rotate.theirs'), submit: t('save'), fields: [textField({ name: 'secret', label: t('source.secret'), code: true, required: true })],
      onSubmit: async ({ secret }) => {
        await admin.rotateSource(sourceId, { secret });
        notice(t('source.rotated'));
        await read();
      },
    });
    return;
  }
  ask({
    title: t('source.rotate'), text: t('source.rotate.text'), yes: t('source.rotate'),
    work: async () => {
      const { secret } = await admin.rotateSource(sourceId, {});
      await read();
      if (secret) openDialog(t('source.rotated'), el('p', {}, t('source.secret.once')), copyBox(t('source.secret'), secret, 'source-secret'),
        closeButton());
    },
  });
}

async function look() {
  try {
    const [source, newest, keys, shop] = await Promise.all([
      admin.source(sourceId), admin.receipts(sourceId, { limit: LOOKED_AT }), admin.listenKeys(), admin.shop(),
    ]);
    findings.replaceChildren(diagnosis(source, newest.receipts, { keys, audience: shop?.audience }));
  } catch (error) {
    if (!loginRequired(error)) findings.replaceChildren(errorState(error, look));
  }
}

/** @param {Receipt} receipt */
function actions(receipt) {
  const name = receipt.number ?? receipt.topic ?? String(receipt.receiptId);
  return el('div', { class: 'row-actions' },
    receipt.body === null ? null : workButton(t('receipt.show'), async () => showBody(receipt), { action: 'show-receipt', name: `${t('receipt.show')}: ${name}` }),
    receipt.body === null ? null : workButton(t('receipt.retry'), async () => {
      const { outcome, why } = await admin.retryReceipt(sourceId, receipt.receiptId);
      notice(t('receipt.retried', { outcome: outcomeName(outcome), why: whySentence(why) }));
      await Promise.all([receipts.refresh(), look()]);
    }, { action: 'retry-receipt', name: `${t('receipt.retry')}: ${name}` }));
}

/** @param {Receipt} receipt */
function showBody(receipt) {
  let text = receipt.body ?? '';
  try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* as it came */ }
  openDialog(receipt.topic ?? t('receipts'), el('p', {}, outcomeBadge(receipt.outcome), ' ', whySentence(receipt.why)), el('pre', { class: 'raw', tabindex: 0 }, text),
    closeButton({ autofocus: true }));
}

/** @param {Source} source */
function askRemove(source) {
  ask({
    title: t('source.remove.title', { name: source.name }), text: t('source.remove.text'), yes: t('source.remove'), danger: true,
    work: async () => {
      await admin.removeSource(sourceId);
      noticeOnNextPage(t('source.removed', { name: source.name }));
      location.assign('/admin/sources');
    },
  });
}
