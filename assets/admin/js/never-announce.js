// @ts-check
/**
 * Goods that no alert names: those that there are, and a search for more.
 * Not for: categories (pages/alerts.js).
 *
 * @import { Cursor } from '../../js/api.js'
 * @import { AdminGoods } from './api.js'
 */

import { debounce, el } from '../../js/dom.js';
import { loginRequired } from '../../js/login-required.js';
import { errorMessage, notice } from '../../js/states.js';
import { admin } from './api.js';
import { icon, roomIcon } from './icons.js';
import { panel, workButton } from './pieces.js';
import { t } from './i18n.js';

const PAGE_SIZE = 1_000;
const FOUND = 6;
const TYPING_MS = 250;

export function neverAnnounced() {
  const silent = el('ul', { class: 'silent-goods', role: 'list', data: { role: 'silent-goods' } });
  const found = el('ul', { class: 'silent-goods', role: 'list' });
  const search = el('input', { type: 'search', class: 'input', placeholder: t('never.search'), autocomplete: 'off', aria: { label: t('never.search') } });

  const set = async (/** @type {AdminGoods} */ goods, /** @type {boolean} */ announce) => {
    await admin.changeGoods(goods.goodsId, { announce }, null);
    notice(t('saved'));
    await Promise.all([readSilent(), look()]);
  };
  const line = (/** @type {AdminGoods} */ goods) => el('li', {}, el('span', {}, goods.name, el('span', { class: 'sub' }, goods.category)),
    goods.announce ? workButton(t('never.add'), () => set(goods, false), { drawn: roomIcon('mute'), name: `${t('never.add')}: ${goods.name}` })
      : workButton(t('never.remove'), () => set(goods, true), { drawn: icon('bell'), name: `${t('never.remove')}: ${goods.name}` }));
  const readSilent = async () => {
    try {
      const all = await silentGoods();
      silent.replaceChildren(...all.length ? all.map(line) : [el('li', { class: 'muted' }, t('never.none'))]);
    } catch (error) {
      if (!loginRequired(error)) silent.replaceChildren(el('li', { class: 'muted' }, errorMessage(error)));
    }
  };
  const look = async () => {
    if (search.value.trim() === '') return found.replaceChildren();
    const { goods } = await admin.goodsList({ q: search.value.trim(), limit: FOUND });
    return found.replaceChildren(...goods.filter(({ announce }) => announce).map(line));
  };
  search.addEventListener('input', debounce(() => look().catch((error) => { if (!loginRequired(error)) notice(errorMessage(error)); }), TYPING_MS));
  readSilent();
  return panel(t('never.title'), el('p', { class: 'note' }, t('never.text')), silent, el('div', { class: 'search-plain' }, search), found);
}

/** The server has no list of these alone: all goods are looked through, page by page. */
async function silentGoods() {
  /** @type {AdminGoods[]} */
  const silent = [];
  /** @type {Cursor | null} */
  let cursor = null;
  do {
    /** @type {{goods: AdminGoods[], nextCursor?: Cursor}} */
    const { goods, nextCursor } = await admin.goodsList({ limit: PAGE_SIZE, cursor });
    silent.push(...goods.filter(({ announce }) => announce === false));
    cursor = nextCursor ?? null;
  } while (cursor !== null);
  return silent;
}
