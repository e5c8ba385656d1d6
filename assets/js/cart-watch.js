// @ts-check
/**
 * Keeps the cart in step with what the shop says of its goods, on every page, and says what became of it: nothing leaves a
 * cart, or comes into it, without a word.
 * Not for: the lines themselves (pages/cart.js, which keeps the same sentences until they were read).
 *
 * @import { Line } from './api.js'
 * @import { Named } from './cart-memory.js'
 * @import { Merged } from './cart-merge.js'
 */

import { t, tn } from './i18n.js';
import { onGoods } from './realtime.js';
import { session } from './session.js';
import { errorMessage, noticeThatStays } from './states.js';

const CART = '/cart.html';
/** In this tab it was told that some goods wait for a place in the cart. */
const WAITING_KEY = 'shopbell.cart-waiting';

export function watchCart() {
  onGoods(({ action, goods }) => session.goodsChanged(action, goods).catch(() => { /* the next page reads the cart again */ }));
  session.addEventListener('changes', (event) => tellChanges(/** @type {CustomEvent} */ (event).detail));
  session.addEventListener('merged', (event) => tellMerged(/** @type {CustomEvent} */ (event).detail));
}

/** @param {{gone: Named[], short: Line[]}} changes */
function tellChanges({ gone, short }) {
  // There it stands beside the lines.
  if (/^\/cart(\.html)?$/.test(location.pathname)) return;
  const sentences = [
    ...gone.map(({ name }) => t('cart.gone', { name })),
    ...short.map(({ goods, quantity }) => goods.stock ? t('cart.short', { name: goods.name, count: goods.stock, quantity }) : t('cart.sold-out', { name: goods.name })),
  ];
  tellAll(sentences, tn('cart.changes', sentences.length));
}

/** @param {Merged} merged */
function tellMerged({ added, capped, gone, failure }) {
  const pieces = added.reduce((sum, { quantity }) => sum + quantity, 0);
  const sentences = [
    ...(pieces ? [tn('cart.merged', pieces)] : []),
    ...capped.map(({ name }) => t('cart.capped', { name })),
    ...gone.map(({ name }) => t('cart.gone', { name })),
  ];
  if (failure && !wasTold()) sentences.push(`${t('cart.waiting')} ${errorMessage(failure)}`);
  tellAll(sentences, sentences.slice(0, 1).concat(tn('cart.changes', sentences.length - 1)).join(' '));
}

/**
 * @param {string[]} sentences
 * @param {string} inShort instead of more than two
 */
function tellAll(sentences, inShort) {
  if (sentences.length === 0) return;
  noticeThatStays(sentences.length > 2 ? inShort : sentences.join(' '), { href: CART, text: t('detail.see-cart') });
}

function wasTold() {
  try {
    const told = sessionStorage.getItem(WAITING_KEY) === '1';
    sessionStorage.setItem(WAITING_KEY, '1');
    return told;
  } catch { return false; }
}
