// @ts-check
/**
 * `/admin/goods`: the catalog as the shopkeeper sees it; prices and stock are live.
 * Not for: changing one (goods-edit.js), many at once (goods-import.js).
 *
 * @import { AdminGoods } from '../api.js'
 */

import { el, show } from '../../../js/dom.js';
import { categoryName } from '../../../js/format.js';
import { formatPrice } from '../../../js/money.js';
import { picture } from '../../../js/picture.js';
import { onGoods, realtime } from '../../../js/realtime.js';
import { emptyState } from '../../../js/states.js';
import { LOW_STOCK } from '../../../js/stock.js';
import { admin } from '../api.js';
import { filters, nothingFits } from '../filters.js';
import { roomIcon } from '../icons.js';
import { List } from '../list.js';
import { badge, formatNumber, linkTo, pageHead } from '../pieces.js';
import { startPage } from '../shell.js';
import { timeTag } from '../time.js';
import { t } from '../i18n.js';

const PAGE_SIZE = 50;

if (await startPage('goods')) await start();

async function start() {
  const categories = await admin.categories().catch(() => []);
  const bar = filters({
    search: t('goods.search'),
    choices: [{ name: 'category', label: t('goods.category'), options: [['', t('filter.all')], ...categories.map((name) => /** @type {[string, string]} */ ([name, categoryName(name)]))] }],
    onChange: () => list.load(),
  });
  const make = () => linkTo('/admin/goods-edit', t('goods.make'), { kind: 'primary', action: 'make-goods' });
  const list = /** @type {List<AdminGoods>} */ (new List({
    caption: t('nav.goods'), key: ({ goodsId }) => goodsId, columns: columns(),
    read: async (cursor) => {
      const { goods, nextCursor } = await admin.goodsList({ ...bar.values(), limit: PAGE_SIZE, cursor });
      return { rows: goods, next: nextCursor };
    },
    empty: () => Object.keys(bar.values()).length ? nothingFits()
      : emptyState({ icon: 'box', title: t('goods.none.title'), text: t('goods.none.text'), action: make() }),
  }));
  show(pageHead({ title: t('nav.goods'), actions: [linkTo('/admin/goods-import', t('goods.import'), { drawn: roomIcon('upload') }), make()] }), bar.element, list.element);
  await list.load();
  onGoods(({ action, goods }) => {
    if (action === 'update') list.replace(/** @type {AdminGoods} */ (goods));
    else if (list.isShort) list.refresh();
  });
  realtime.addEventListener('hello', () => { if (list.isShort) list.refresh(); });
  realtime.open();
}

/** @returns {import('../list.js').Column<AdminGoods>[]} */
function columns() {
  return [
    { label: t('goods.name'), kind: 'what', cell: (goods) => el('span', { class: 'with-thumb' }, thumb(goods),
      el('span', {}, el('a', { class: 'row-link', href: `/admin/goods-edit?goodsId=${goods.goodsId}` }, goods.name), goods.sku ? el('span', { class: 'sub' }, goods.sku) : null)) },
    { label: t('goods.category'), cell: ({ category }) => categoryName(category) },
    { label: t('goods.stock'), kind: 'num', cell: stock },
    { label: t('goods.price'), kind: 'num corner', cell: ({ price, currency }) => formatPrice(price, currency) },
    { label: t('goods.marks'), cell: marks },
    { label: t('goods.changed'), kind: 'tight', cell: ({ updatedAt }) => timeTag(updatedAt) },
  ];
}

/** @param {AdminGoods} goods */
function marks({ announce, listed }) {
  const made = [listed ? null : badge(t('goods.unlisted'), 'warn'), announce ? null : badge(t('goods.silent'), '', roomIcon('mute'))].filter((mark) => mark !== null);
  return made.length ? el('span', { class: 'badges' }, ...made) : null;
}

/** @param {AdminGoods} goods */
function thumb(goods) {
  const image = picture(goods);
  image.classList.add('thumb');
  return image;
}

/** @param {AdminGoods} goods */
function stock({ stock: left }) {
  if (left === null) return el('span', { class: 'muted' }, t('goods.uncounted'));
  return left === 0 ? badge(t('goods.sold-out'), 'bad') : left <= LOW_STOCK ? badge(formatNumber(left), 'warn') : formatNumber(left);
}
