// @ts-check
/**
 * What a new shop needs: goods, or a shop that tells of its orders, and a page with the bell. Gone with the first order.
 * Not for: the steps themselves.
 */

import { el } from '../../js/dom.js';
import { admin } from './api.js';
import { linkTo } from './pieces.js';
import { t } from './i18n.js';

/** @returns {Promise<HTMLElement | null>} nothing for a shop that has begun */
export async function firstRun() {
  try {
    const [{ goods }, sources, keys, { orders }] = await Promise.all([
      admin.goodsList({ limit: 1 }), admin.sources(), admin.listenKeys(), admin.orders({ limit: 1 }).catch(() => ({ orders: [] })),
    ]);
    if (orders.length) return null;
    return el('section', { class: 'panel first-run', data: { role: 'first-run' } },
      el('h2', {}, t('first.title')), el('p', { class: 'note' }, t('first.text')),
      el('ol', { class: 'steps', role: 'list' },
        step(goods.length > 0, 'first.goods', '/admin/goods-edit'),
        step(sources.length > 0, 'first.shop', '/admin/sources?new'),
        step(keys.some(({ revokedAt }) => revokedAt === null), 'first.bell', '/admin/listen-keys')));
  } catch {
    // What is missing shows on its own page.
    return null;
  }
}

/**
 * @param {boolean} done
 * @param {string} key of its message, with `.text` for what it is good for
 * @param {string} href
 */
function step(done, key, href) {
  return el('li', { class: done ? 'is-done' : null }, el('div', {}, el('strong', {}, t(key)), el('span', { class: 'note' }, t(`${key}.text`)),
    done ? el('span', { class: 'visually-hidden' }, t('first.done')) : el('div', {}, linkTo(href, t(key), { kind: 'quiet button-small' }))));
}
