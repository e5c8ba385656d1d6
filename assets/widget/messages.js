// @ts-check
/**
 * What a toast says, in English and Korean: pieces of a sentence, so that a name becomes
 * an element of its own and never markup.
 * Not for: the storefront's messages (js/locales/), or the DOM.
 *
 * @typedef {string | {name: string} | {goods: string}} Piece
 *
 * @typedef {object} Messages
 * @property {string} region label of the region that holds the toasts
 * @property {string} close label of the button
 * @property {string} justNow
 * @property {string} someone who it was is not said
 * @property {(who: Who, goods: string, more: number, recent: boolean) => Piece[]} bought someone ordered `goods` and
 *   `more` others
 * @property {(goods: string, more: number) => Piece[]} own the reader's own order is placed
 * @property {(who: Who, others: number, recent: boolean) => Piece[]} burst `who` and `others` ordered
 * @property {(who: Who, orders: number, recent: boolean) => Piece[]} burstOfOne one person placed several orders
 *
 * @typedef {object} Who
 * @property {string} name
 * @property {boolean} anonymous the name is a word of the sentence, and nobody's
 */

/** @import { Entry, Order } from './store.js' */

/** An order younger than this was placed "just now". */
export const JUST_NOW_MS = 60_000;

/** @param {number} more */
const moreItems = (more) => more ? ` and ${more} more ${more === 1 ? 'item' : 'items'}` : '';

/** @type {Messages} */
const en = {
  region: 'Purchase alerts (F8)',
  close: 'Close',
  justNow: 'just now',
  someone: 'Someone',
  bought: ({ name }, goods, more, recent) => [{ name }, recent ? ' just ordered ' : ' ordered ', { goods }, moreItems(more)],
  own: (goods, more) => ['Your order of ', { goods }, moreItems(more), ' is placed'],
  burst: ({ name }, others, recent) => [
    { name }, ` and ${others} ${others === 1 ? 'other' : 'others'} ${recent ? 'just ' : ''}ordered`,
  ],
  burstOfOne: ({ name }, orders, recent) => [{ name }, ` ${recent ? 'just ' : ''}placed ${orders} orders`],
};

/**
 * A name has its 님, nobody's has not.
 * @param {Who} who
 * @returns {Piece[]}
 */
const subject = ({ name, anonymous }) => [{ name }, anonymous ? '가 ' : '님이 '];

/** @type {Messages} */
const ko = {
  region: '구매 알림 (F8)',
  close: '닫기',
  justNow: '방금',
  someone: '누군가',
  bought: (who, goods, more, recent) => {
    const ordered = recent ? ' 방금 주문했어요' : ' 주문했어요';
    return more
      ? [...subject(who), { goods }, ` 외 ${more}개의 상품을${ordered}`]
      : [...subject(who), { goods }, `${objectParticle(goods)}${ordered}`];
  },
  own: (goods, more) => [{ goods }, more ? ` 외 ${more}개의 상품` : '', ' 주문이 완료되었어요'],
  burst: ({ name, anonymous }, others, recent) => [
    { name }, `${anonymous ? '' : '님'} 외 ${others}명이 ${recent ? '방금 ' : ''}주문했어요`,
  ],
  burstOfOne: (who, orders, recent) => [...subject(who), `${recent ? '방금 ' : ''}${orders}건을 주문했어요`],
};

export const LOCALES = { en, ko };

/**
 * @param {string | null | undefined} lang a BCP 47 tag
 * @returns {keyof typeof LOCALES} English for a language that has no messages
 */
function localeFor(lang) {
  return lang?.toLowerCase().split('-')[0] === 'ko' ? 'ko' : 'en';
}

/**
 * @param {string | null | undefined} lang a BCP 47 tag
 * @returns {Messages}
 */
export function messagesFor(lang) {
  return LOCALES[localeFor(lang)];
}

/**
 * The Korean object particle: exact after a Hangul syllable, both forms after anything else.
 * @param {string} word
 * @returns {string}
 */
export function objectParticle(word) {
  // Syllables stand in blocks of 28, one for each final consonant; the first of a block has none.
  const code = word.trimEnd().charCodeAt(word.trimEnd().length - 1) - 0xac00;
  if (!(code >= 0 && code < 11172)) return '을(를)';
  return code % 28 === 0 ? '를' : '을';
}

/**
 * The sentence of an entry, true at `now`.
 * @param {Pick<Entry, 'own' | 'at' | 'orders'>} entry
 * @param {number} now epoch ms
 * @param {Messages} messages
 * @returns {Piece[]}
 */
export function sentence(entry, now, messages) {
  const recent = now - entry.at < JUST_NOW_MS;
  const [first] = entry.orders;
  if (entry.own) return messages.own(first.goodsName, first.otherGoods);
  const who = whoOrdered(first, messages);
  if (entry.orders.length === 1) return messages.bought(who, first.goodsName, first.otherGoods, recent);
  // Who is not named is another each time.
  const others = new Set(entry.orders.map((order) => order.anonymous ? order.id : order.nickname)).size - 1;
  return others > 0
    ? messages.burst(who, others, recent)
    : messages.burstOfOne(who, entry.orders.length, recent);
}

/**
 * @param {Order} order
 * @param {Messages} messages
 * @returns {Who}
 */
function whoOrdered({ nickname, anonymous = false }, messages) {
  return { name: anonymous ? messages.someone : nickname, anonymous };
}

/**
 * "just now", "2 min ago", "3 hr ago".
 * @param {number} at epoch ms
 * @param {number} now epoch ms
 * @param {string} lang
 * @returns {string}
 */
export function timeAgo(at, now, lang) {
  const elapsed = Math.max(0, now - at);
  if (elapsed < JUST_NOW_MS) return messagesFor(lang).justNow;
  const format = new Intl.RelativeTimeFormat(localeFor(lang), { style: 'short' });
  const minutes = Math.floor(elapsed / 60_000);
  const text = minutes < 60 ? format.format(-minutes, 'minute')
    : minutes < 24 * 60 ? format.format(-Math.floor(minutes / 60), 'hour')
    : format.format(-Math.floor(minutes / (24 * 60)), 'day');
  return text.replace('min.', 'min').replace('hr.', 'hr');
}

/**
 * A sentence without elements, for the live region.
 * @param {Piece[]} pieces
 * @returns {string}
 */
export function plainText(pieces) {
  return pieces.map((piece) => typeof piece === 'string' ? piece : 'name' in piece ? piece.name : piece.goods).join('');
}
