// @ts-check
/**
 * `/admin/goods-edit`: new goods, or with `?goodsId=` those that there are. Saving sends what was changed here, and only if
 * nobody else has changed the goods meanwhile.
 * Not for: the picture's upload (picture-field.js), the stock (stock-panel.js).
 *
 * @import { AdminGoods } from '../api.js'
 */

import { ApiError } from '../../../js/api.js';
import { el, show } from '../../../js/dom.js';
import { form } from '../../../js/forms.js';
import { loginRequired } from '../../../js/login-required.js';
import { onGoods, realtime } from '../../../js/realtime.js';
import { emptyState, errorState, notice, noticeOnNextPage } from '../../../js/states.js';
import { admin } from '../api.js';
import { ask, openDialog } from '../dialogs.js';
import { areaField, switchField, textField } from '../fields.js';
import { callout, linkTo, pageHead, panel, workButton } from '../pieces.js';
import { pictureField } from '../picture-field.js';
import { startPage } from '../shell.js';
import { stockPanel } from '../stock-panel.js';
import { t } from '../i18n.js';

const goodsId = new URLSearchParams(location.search).get('goodsId');
const TEXTS = /** @type {const} */ (['name', 'description', 'category', 'price', 'thumbnailUrl', 'sku', 'url']);
const SWITCHES = /** @type {const} */ (['announce', 'listed']);
/** Fields that can be taken away. */
const NULLABLE = ['sku', 'url'];

/** As it was when it was read. @type {AdminGoods | null} */
let known = null;
/** What `If-Match` wants of it. @type {string | null} */
let tag = null;
/** Whether this page saves right now, so that its own change is no news to it. */
let saving = false;
const changedElsewhere = el('div', { role: 'status' });

/** Shows another stock, where there is one. @type {(left: number | null) => void} */
let showStock = () => {};

if (await startPage('goods', t(goodsId ? 'goods.edit' : 'goods.make'))) {
  await read();
  if (goodsId) {
    onGoods(({ goods }) => { if (goods.goodsId === Number(goodsId)) noticeChange(/** @type {AdminGoods} */ (goods)); });
    realtime.open();
  }
}

async function read() {
  try {
    if (goodsId) ({ goods: known, tag } = await admin.goods(goodsId));
    draw(await admin.categories().catch(() => []));
  } catch (error) {
    if (loginRequired(error)) return;
    show(error instanceof ApiError && error.status === 404
      ? emptyState({ title: t('goods.gone'), level: 'h1', action: linkTo('/admin/goods', t('nav.goods'), { kind: 'primary' }) }) : errorState(error, read));
  }
}

/** @param {string[]} categories */
function draw(categories) {
  const goods = known;
  if (goods) document.title = `${goods.name} · ${t('room.name')}`;
  const of = (/** @type {typeof TEXTS[number]} */ name) => goods?.[name] ?? null;
  const edit = form({ id: 'goods-form', submit: t(goods ? 'save' : 'goods.make'), onSubmit: save },
    pictureField(goods?.thumbnailUrl ?? ''),
    textField({ name: 'name', label: t('goods.name'), value: of('name'), required: true }),
    areaField({ name: 'description', label: t('goods.description'), value: of('description'), hint: t('optional') }),
    el('div', { class: 'fields-2' },
      textField({ name: 'category', label: t('goods.category'), value: of('category'), required: true, list: 'categories' }),
      textField({ name: 'price', label: t('goods.price'), value: of('price'), inputmode: 'decimal', required: true }),
      goods ? el('span', { hidden: true }) : textField({ name: 'stock', label: t('goods.stock'), inputmode: 'numeric', hint: t('goods.stock.hint') })),
    el('datalist', { id: 'categories' }, ...categories.map((value) => el('option', { value }))),
    el('div', { class: 'fields-2' },
      textField({ name: 'sku', label: t('goods.sku'), value: of('sku'), hint: t('goods.sku.hint'), code: true }),
      textField({ name: 'url', label: t('goods.url'), value: of('url'), type: 'url', hint: t('goods.url.hint'), code: true })),
    el('div', { class: 'fields-2' },
      switchField({ name: 'listed', label: t('goods.listed'), hint: t('goods.listed.hint'), checked: goods?.listed ?? true }),
      switchField({ name: 'announce', label: t('goods.announce'), hint: t('goods.announce.hint'), checked: goods?.announce ?? true })));
  const stock = goods ? stockPanel(goods, keepUp) : null;
  if (stock) showStock = stock.show;
  show(
    pageHead({
      title: goods?.name ?? t('goods.make'), back: ['/admin/goods', t('nav.goods')],
      actions: goods ? [linkTo(`/detail.html?goodsId=${goods.goodsId}`, t('goods.see')), workButton(t('goods.delete'), async () => askDelete(goods), { kind: 'danger', action: 'delete-goods' })] : [],
    }),
    changedElsewhere,
    el('div', { class: 'columns' }, el('section', { class: 'panel' }, edit),
      el('div', {}, stock?.element ?? panel(t('goods.tips'), el('p', { class: 'note' }, t('goods.tips.text')), linkTo('/admin/goods-import', t('goods.import'))))));
  changedElsewhere.replaceChildren();
}

/**
 * Takes the goods' tag anew after what the form does not show, like their stock, has changed, so that saving meets no conflict.
 * If by then another admin has changed what the form shows, too, the old tag stays: saving is to ask about that.
 */
async function keepUp() {
  try {
    const now = await admin.goods(goodsId ?? '');
    if (known && !saving && unlike(known, now.goods).length === 0) ({ goods: known, tag } = now);
  } catch { /* saving asks the server again */ }
}

/**
 * Sold pieces are no change to what is written here.
 * @param {AdminGoods} now
 */
async function noticeChange(now) {
  showStock(now.stock);
  if (!known || !goodsId || saving) return;
  const changed = unlike(known, now);
  if (changed.length === 0) await keepUp();
  else changedElsewhere.replaceChildren(callout('warn', t('goods.changed-elsewhere', { fields: changed.map((name) => t(`goods.${labelOf(name)}`)).join(', ') })));
}

/**
 * The fields of the form in which two differ.
 * @param {AdminGoods} one
 * @param {AdminGoods} other
 */
function unlike(one, other) { return [...TEXTS, ...SWITCHES].filter((name) => name in other && (one[name] ?? '') !== (other[name] ?? '')); }

/** @param {string} name */
function labelOf(name) { return name === 'thumbnailUrl' ? 'picture' : name; }

/**
 * What the form says, as the server takes it.
 * @param {Record<string, string>} values
 * @returns {Record<string, unknown>}
 */
function written(values) {
  const fields = /** @type {Record<string, unknown>} */ ({});
  for (const name of TEXTS) fields[name] = values[name] === '' && NULLABLE.includes(name) ? null : values[name];
  for (const name of SWITCHES) fields[name] = values[name] === 'on';
  if (values.stock) fields.stock = values.stock;
  return fields;
}

/** @param {Record<string, string>} values */
async function save(values) {
  const fields = written(values);
  if (!known) {
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== ''));
    const made = await admin.makeGoods({ thumbnailUrl: '/images/placeholder.svg', ...given });
    noticeOnNextPage(t('goods.made', { name: made.name }));
    location.assign(`/admin/goods-edit?goodsId=${made.goodsId}`);
    return;
  }
  const before = known;
  const changes = Object.fromEntries(Object.entries(fields).filter(([name, value]) => String(value ?? '') !== String(before[/** @type {'name'} */ (name)] ?? '')));
  if (Object.keys(changes).length === 0) {
    notice(t('goods.nothing-changed'));
    return;
  }
  await send(changes);
}

/** @param {Record<string, unknown>} changes */
async function send(changes) {
  saving = true;
  try {
    await admin.changeGoods(goodsId ?? '', changes, tag);
    notice(t('saved'));
    await read();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 412) throw error;
    await askOver(changes);
  } finally {
    saving = false;
  }
}

/**
 * Someone else was quicker. What they changed stays unless it is what was changed here, too.
 * @param {Record<string, unknown>} changes
 */
async function askOver(changes) {
  const theirs = await admin.goods(goodsId ?? '');
  const fields = known ? unlike(known, theirs.goods) : [];
  tag = theirs.tag;
  if (fields.length === 0) {
    await send(changes);
    return;
  }
  const shown = (/** @type {unknown} */ value) => typeof value === 'boolean' ? t(value ? 'yes' : 'no') : String(value ?? '–');
  const dialog = openDialog(t('goods.conflict'), el('p', {}, t('goods.conflict.text')),
    el('ul', { class: 'conflict', role: 'list' }, ...fields.map((name) => el('li', {},
      el('strong', {}, t(`goods.${labelOf(name)}`)), el('span', { class: 'sub' }, t('goods.conflict.theirs', { value: shown(theirs.goods[name]) })),
      name in changes ? el('span', { class: 'sub' }, t('goods.conflict.yours', { value: shown(changes[name]) })) : null))),
    el('div', { class: 'buttons' },
      workButton(t('goods.conflict.take'), async () => { dialog.close(); await read(); }, { action: 'take-theirs' }),
      workButton(t('goods.conflict.save'), async () => { await send(changes); dialog.close(); }, { kind: 'primary', action: 'save-over' })));
}

/** @param {AdminGoods} goods */
function askDelete(goods) {
  ask({
    title: t('goods.delete.title', { name: goods.name }), text: t('goods.delete.text'), yes: t('goods.delete'), danger: true,
    work: async () => {
      await admin.deleteGoods(goods.goodsId);
      noticeOnNextPage(t('goods.deleted', { name: goods.name }));
      location.assign('/admin/goods');
    },
  });
}
