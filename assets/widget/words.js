/**
 * What a toast says, in English and Korean: pieces of a sentence, so that a name becomes
 * an element of its own and never markup.
 * Not for: the storefront's strings (js/locales/), or the DOM.
 *
 * @typedef {string | {name: string} | {goods: string}} Piece
 * @typedef {import('./store.js').Entry} Entry
 */

/** Up to this age "just" is true. */
export const JUST_NOW_MS = 60_000;

/** The Korean object particle: exact after a Hangul syllable, both forms after anything else. */
export function objectParticle(/** @type {string} */ word) {
  const code = word.trimEnd().charCodeAt(word.trimEnd().length - 1) - 0xac00;
  if (!(code >= 0 && code < 11172)) return '을(를)';
  return code % 28 === 0 ? '를' : '을';
}

const en = {
  region: 'Purchase alerts (F8)',
  close: 'Close',
  justNow: 'just now',
  /** @returns {Piece[]} */
  bought: (who, goods, more, just) => [
    { name: who }, just ? ' just ordered ' : ' ordered ', { goods },
    more ? ` and ${more} more ${more === 1 ? 'item' : 'items'}` : '',
  ],
  own: (goods, more) => [
    'Your order of ', { goods }, more ? ` and ${more} more ${more === 1 ? 'item' : 'items'}` : '', ' is placed',
  ],
  burst: (who, others, just) => [
    { name: who }, ` and ${others} ${others === 1 ? 'other' : 'others'} ${just ? 'just ' : ''}ordered`,
  ],
  burstOfOne: (who, orders, just) => [{ name: who }, ` ${just ? 'just ' : ''}placed ${orders} orders`],
};

const ko = {
  region: '구매 알림 (F8)',
  close: '닫기',
  justNow: '방금',
  bought: (who, goods, more, just) => {
    const when = just ? ' 방금 주문했어요' : ' 주문했어요';
    return more
      ? [{ name: who }, '님이 ', { goods }, ` 외 ${more}개의 상품을${when}`]
      : [{ name: who }, '님이 ', { goods }, `${objectParticle(goods)}${when}`];
  },
  own: (goods, more) => [{ goods }, more ? ` 외 ${more}개의 상품` : '', ' 주문이 완료되었어요'],
  burst: (who, others, just) => [{ name: who }, `님 외 ${others}명이 ${just ? '방금 ' : ''}주문했어요`],
  burstOfOne: (who, orders, just) => [{ name: who }, `님이 ${just ? '방금 ' : ''}${orders}건을 주문했어요`],
};

/** @param {string | null | undefined} lang a BCP 47 tag; what isn't known falls back to English */
export function wordsFor(lang) {
  return lang?.toLowerCase().startsWith('ko') ? ko : en;
}

/**
 * The sentence of an entry, true at `now`.
 * @param {Entry} entry @param {number} now @param {typeof en} words @returns {Piece[]}
 */
export function sentence(entry, now, words) {
  const just = now - entry.at < JUST_NOW_MS;
  const first = entry.orders[0];
  if (entry.own) return words.own(first.goodsName, first.otherGoods);
  if (entry.orders.length === 1) return words.bought(first.nickname, first.goodsName, first.otherGoods, just);
  const others = new Set(entry.orders.map((order) => order.nickname)).size - 1;
  return others > 0
    ? words.burst(first.nickname, others, just)
    : words.burstOfOne(first.nickname, entry.orders.length, just);
}

/**
 * "just now", "2 min ago", "3 hr ago".
 * @param {number} at @param {number} now @param {string} lang @returns {string}
 */
export function ago(at, now, lang) {
  const seconds = Math.max(0, (now - at) / 1000);
  const words = wordsFor(lang);
  if (seconds * 1000 < JUST_NOW_MS) return words.justNow;
  const format = new Intl.RelativeTimeFormat(words === ko ? 'ko' : 'en', { style: 'short' });
  const text = seconds < 3600 ? format.format(-Math.floor(seconds / 60), 'minute')
    : seconds < 86_400 ? format.format(-Math.floor(seconds / 3600), 'hour')
    : format.format(-Math.floor(seconds / 86_400), 'day');
  return text.replace('min.', 'min').replace('hr.', 'hr');
}

/** A sentence without elements, for the live region. @param {Piece[]} pieces */
export function plain(pieces) {
  return pieces.map((piece) => typeof piece === 'string' ? piece : 'name' in piece ? piece.name : piece.goods).join('');
}
