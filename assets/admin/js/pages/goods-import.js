// @ts-check
/**
 * `/admin/goods-import`: goods from a file. First it is said what would happen, line by line; then it is done, or not.
 * Not for: how a line is read; the server does.
 *
 * @import { ImportLine, ImportResult } from '../api.js'
 */

import { el, show } from '../../../js/dom.js';
import { loginRequired } from '../../../js/login-required.js';
import { errorMessage, notice } from '../../../js/states.js';
import { admin, isMissing } from '../api.js';
import { roomIcon } from '../icons.js';
import { badge, callout, copyBox, formatNumber, linkTo, pageHead, panel, workButton } from '../pieces.js';
import { startPage } from '../shell.js';
import { t, tn } from '../i18n.js';

const EXAMPLE = `sku,name,category,price,stock,thumbnailUrl
TEA-1,Jasmine tea,drinks,6.20,40,https://my-shop.example/tea.jpg
MUG-2,Stoneware mug,kitchen,14,12,`;
/** @type {Record<string, '' | 'good' | 'warn' | 'bad'>} */
const KINDS = { created: 'good', updated: 'warn', unchanged: '', refused: 'bad' };
/** Of all others only their number is said. */
const SHOWN_LINES = 200;

const file = el('input', { type: 'file', id: 'import-file', class: 'visually-hidden', accept: '.csv,.ndjson,.jsonl,text/csv,application/x-ndjson', data: { role: 'import-file' } });
const outcome = el('div', { class: 'form', role: 'status' });

if (await startPage('goods', t('import.title'))) {
  const zone = el('label', { class: 'picture-zone', for: 'import-file' }, el('span', { class: 'picture-words' }, roomIcon('upload'), t('import.drop'), el('span', { class: 'sub' }, t('import.kinds'))));
  zone.addEventListener('dragover', (event) => event.preventDefault());
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    tryOut(event.dataTransfer?.files[0]);
  });
  file.addEventListener('change', () => tryOut(file.files?.[0]));
  show(pageHead({ title: t('import.title'), lead: t('import.lead'), back: ['/admin/goods', t('nav.goods')] }),
    el('div', { class: 'columns' }, el('div', {}, el('div', { class: 'picture-field' }, file, zone), outcome),
      panel(t('import.columns'), el('p', { class: 'note' }, t('import.columns.text')), copyBox(t('import.example'), EXAMPLE))));
}

/** @param {File | undefined} chosen */
async function tryOut(chosen) {
  if (!chosen) return;
  const isLines = /\.(ndjson|jsonl)$/i.test(chosen.name);
  const sent = new Blob([chosen], { type: isLines ? 'application/x-ndjson' : 'text/csv' });
  outcome.replaceChildren(el('p', { class: 'muted' }, t('list.loading')));
  try {
    drawTrial(chosen.name, sent, await admin.importGoods(sent, true));
  } catch (error) {
    tellFailure(error);
  } finally {
    file.value = '';
  }
}

/** @param {unknown} error */
function tellFailure(error) {
  if (loginRequired(error)) return;
  outcome.replaceChildren(callout('bad', isMissing(error) ? t('unavailable.text') : errorMessage(error)));
}

/**
 * @param {string} name of the file
 * @param {Blob} sent
 * @param {ImportResult} result of the dry run
 */
function drawTrial(name, sent, result) {
  const good = result.created + result.updated;
  outcome.replaceChildren(
    panel(t('import.would', { name }), counts(result),
      good ? el('div', { class: 'page-actions' }, workButton(tn('import.do', good), async () => {
        try {
          drawDone(await admin.importGoods(sent, false));
        } catch (error) {
          tellFailure(error);
        }
      }, { kind: 'primary', action: 'import' })) : el('p', { class: 'note' }, t('import.nothing'))),
    lines(result));
}

/** @param {ImportResult} result */
function drawDone(result) {
  notice(t('import.done'));
  outcome.replaceChildren(panel(t('import.done'), counts(result), el('div', {}, linkTo('/admin/goods', t('nav.goods'), { kind: 'primary' }))), lines(result));
}

/** @param {ImportResult} result */
function counts({ created, updated, unchanged, refusals }) {
  /** @type {[string, number][]} */
  const all = [['created', created], ['updated', updated], ['unchanged', unchanged], ['refused', refusals]];
  return el('div', { class: 'badges', data: { role: 'import-counts' } }, ...all.map(([outcome, count]) => badge(`${t(`import.${outcome}`)} ${formatNumber(count)}`, count ? KINDS[outcome] : '')));
}

/**
 * Refused lines first: they are what is to be mended.
 * @param {ImportResult} result
 */
function lines({ lines: told = [], refused }) {
  const errors = new Map(refused.map(({ line, errors }) => [line, errors]));
  /** @type {ImportLine[]} */
  const all = [...refused.map(({ line }) => told.find((of) => of.line === line) ?? { line, outcome: 'refused' }), ...told.filter(({ outcome }) => outcome !== 'refused')];
  if (all.length === 0) return el('span', { hidden: true });
  return el('div', { class: 'list' }, el('table', { role: 'table', aria: { label: t('import.lines') } },
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...['import.line', 'goods.name', 'import.outcome', 'import.changes'].map((key) => el('th', { role: 'columnheader', scope: 'col' }, t(key))))),
    el('tbody', { role: 'rowgroup' }, ...all.slice(0, SHOWN_LINES).map(({ line, sku, name, outcome, changes }) => el('tr', { role: 'row', data: { outcome } },
      el('td', { role: 'cell', data: { label: t('import.line') } }, String(line)),
      el('td', { role: 'cell', class: 'what' }, name ?? '', sku ? el('span', { class: 'sub' }, sku) : null),
      el('td', { role: 'cell', data: { label: t('import.outcome') } }, badge(t(`import.${outcome}`), KINDS[outcome] ?? '')),
      el('td', { role: 'cell' }, el('div', {}, ...(errors.get(line) ?? []).map(({ field, message }) => el('span', { class: 'sub' }, field ? `${field}: ${message}` : message)),
        ...Object.entries(changes ?? {}).map(([field, [before, after]]) => el('span', { class: 'sub' }, `${field}: ${before ?? '–'} → ${after ?? '–'}`)))))))),
    all.length > SHOWN_LINES ? el('p', { class: 'list-foot muted' }, t('import.more', { count: formatNumber(all.length - SHOWN_LINES) })) : null);
}
