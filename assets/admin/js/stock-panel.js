// @ts-check
/**
 * The stock of goods: changed by so many pieces, so that nothing that is sold meanwhile is overwritten, or counted anew;
 * and who changed it when and why.
 * Not for: what orders take; that is with the orders.
 *
 * @import { AdminGoods, StockChange } from './api.js'
 */

import { el } from '../../js/dom.js';
import { form } from '../../js/forms.js';
import { notice } from '../../js/states.js';
import { admin } from './api.js';
import { askForm } from './dialogs.js';
import { textField } from './fields.js';
import { formatNumber, panel, workButton } from './pieces.js';
import { timeTag } from './time.js';
import { t } from './i18n.js';

const SHOWN = 10;

/**
 * @param {AdminGoods} goods
 * @param {(goods: AdminGoods) => void} changed
 * @returns {{element: HTMLElement, show: (left: number | null) => void}} `show`: what sales have left
 */
export function stockPanel({ goodsId, stock }, changed) {
  const number = el('p', { class: 'stock-number', data: { role: 'stock' } });
  const history = el('ol', { class: 'timeline', role: 'list', data: { role: 'stock-history' } });
  const byPieces = form({ id: 'stock-form', submit: t('stock.book'), kind: 'quiet', onSubmit: async ({ change, reason }, sent) => {
    took(await admin.changeStock(goodsId, { change: /** @type {any} */ (change), ...reason ? { reason } : {} }));
    sent.reset();
  } }, el('div', { class: 'fields-2' },
    textField({ name: 'change', label: t('stock.change'), placeholder: '+10', inputmode: 'text', hint: t('stock.change.hint'), required: true }),
    textField({ name: 'reason', label: t('stock.reason'), hint: t('optional') })));
  const show = (/** @type {number | null} */ left) => {
    number.replaceChildren(left === null ? t('goods.uncounted') : formatNumber(left), el('span', { class: 'sub' }, left === null ? t('stock.uncounted.text') : t('stock.left')));
    byPieces.hidden = left === null;
  };
  const took = (/** @type {AdminGoods} */ goods) => {
    show(goods.stock);
    notice(t('saved'));
    drawHistory(goodsId, history);
    changed(goods);
  };
  const count = workButton(t('stock.count'), async () => askForm({
    title: t('stock.count'), text: t('stock.count.text'), submit: t('save'),
    fields: [textField({ name: 'stock', label: t('stock.counted'), inputmode: 'numeric', hint: t('stock.counted.hint') })],
    onSubmit: async ({ stock: counted }) => took(await admin.changeGoods(goodsId, { stock: counted === '' ? null : counted }, null)),
  }), { action: 'count-stock' });
  show(stock);
  drawHistory(goodsId, history);
  return { element: panel(t('goods.stock'), number, byPieces, el('div', {}, count), el('h3', {}, t('stock.history')), history), show };
}

/**
 * @param {number} goodsId
 * @param {HTMLElement} place
 */
async function drawHistory(goodsId, place) {
  try {
    const { changes } = await admin.stockChanges(goodsId, { limit: SHOWN });
    place.replaceChildren(...changes.length ? changes.map(line) : [el('li', { class: 'muted' }, t('stock.history.none'))]);
  } catch {
    place.replaceChildren(el('li', { class: 'muted' }, t('stock.history.failed')));
  }
}

/** @param {StockChange} change */
function line({ kind, change, stock, reason, by, createdAt }) {
  const what = kind === 'change' ? `${change > 0 ? '+' : '−'}${formatNumber(Math.abs(change))}` : t(`stock.kind.${kind}`);
  return el('li', { class: change < 0 ? 'is-bad' : null }, el('div', {},
    el('strong', {}, what), stock === null ? ` → ${t('goods.uncounted')}` : ` → ${formatNumber(stock)}`, reason ? ` · ${reason}` : '',
    el('span', { class: 'sub' }, by?.nickname ?? t('audit.program'), ' · ', timeTag(createdAt))));
}
