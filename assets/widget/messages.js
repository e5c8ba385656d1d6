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
 * @property {string} just says that it was a moment ago
 * @property {string[]} subject after the name of who does it, and after nobody's
 * @property {string[]} title likewise, where others follow
 * @property {(count: number) => string} more so many other goods
 * @property {string} bought someone ordered goods: {w}ho, {v}: its subject, {g}oods, {m}ore and their {p}article, {j}ust
 * @property {string} own the reader's own order is placed
 * @property {string} burst {w}ho, its {t}itle, and {n} others, with their plural's {s}
 * @property {string} digest likewise, of the same goods
 * @property {string} several one person placed {n} orders
 * @property {string} away {n} orders while the reader did not look
 */

/** @import { Entry } from './store.js' */

/** An order younger than this was placed "just now". */
export const JUST_NOW_MS = 60_000;

/** @param {number} count */
const s = (count) => count === 1 ? '' : 's';

/** @type {Messages} */
const en = {
  region: 'Purchase alerts (F8)',
  close: 'Close',
  justNow: 'just now',
  someone: 'Someone',
  just: ' just',
  subject: [],
  title: [],
  more: (count) => ` and ${count} more item${s(count)}`,
  bought: '{w}{j} ordered {g}{m}',
  own: 'Your order of {g}{m} is placed',
  burst: '{w} and {n} other{s}{j} ordered',
  digest: '{w} and {n} other{s}{j} ordered {g}{m}',
  several: '{w}{j} placed {n} orders',
  away: '{n} orders while you were away',
};

/** @type {Messages} */
const ko = {
  region: '구매 알림 (F8)',
  close: '닫기',
  justNow: '방금',
  someone: '누군가',
  just: '방금 ',
  subject: ['님이', '가'],
  title: ['님', ''],
  more: (count) => ` 외 ${count}개의 상품`,
  bought: '{w}{v} {g}{m}{p} {j}주문했어요',
  own: '{g}{m} 주문이 완료되었어요',
  burst: '{w}{t} 외 {n}명이 {j}주문했어요',
  digest: '{w}{t} 외 {n}명이 {g}{m}{p} {j}주문했어요',
  several: '{w}{v} {j}{n}건을 주문했어요',
  away: '자리를 비운 사이 주문 {n}건',
};

export const LOCALES = { en, ko };

/**
 * @param {string | null | undefined} lang a BCP 47 tag
 * @returns {keyof typeof LOCALES} English for a language that has no messages
 */
const localeFor = (lang) => /^ko\b/i.test(lang ?? '') ? 'ko' : 'en';

/**
 * @param {string | null | undefined} lang a BCP 47 tag
 * @returns {Messages}
 */
export const messagesFor = (lang) => LOCALES[localeFor(lang)];

/**
 * The Korean object particle: exact after a Hangul syllable, both forms after anything else.
 * @param {string} word
 * @returns {string}
 */
export function objectParticle(word) {
  // Syllables stand in blocks of 28, one for each final consonant; the first of a block has none.
  const code = (word.trimEnd().at(-1) ?? '').charCodeAt(0) - 0xac00;
  return !(code >= 0 && code < 11172) ? '을(를)' : code % 28 ? '을' : '를';
}

/**
 * The sentence of an entry, true at `now`.
 * @param {Pick<Entry, 'own' | 'at' | 'orders' | 'away'>} entry
 * @param {number} now epoch ms
 * @param {Messages} messages
 * @returns {Piece[]}
 */
export function sentence({ own, at, orders, away }, now, messages) {
  const [{ goodsName, otherGoods, nickname, anonymous = false, text }, another] = orders;
  if (text) return [text];
  const all = orders.reduce((sum, order) => sum + (order.count ?? 1), 0);
  // Who is not named is another each time.
  const names = new Set(orders.map((order) => order.anonymous ? order.id : order.nickname));
  const others = orders.reduce((sum, order) => sum + (order.buyers ?? 1) - 1, names.size - 1);
  const counts = !own && !away && others;
  const template = own ? messages.own : away ? messages.away
    : all === 1 ? messages.bought : !others ? messages.several : another ? messages.burst : messages.digest;
  /** @type {Record<string, Piece | number | undefined>} */
  const values = {
    w: { name: anonymous ? messages.someone : nickname },
    g: { goods: goodsName },
    m: otherGoods ? messages.more(otherGoods) : '',
    p: objectParticle(otherGoods ? '품' : goodsName),
    j: now - at < JUST_NOW_MS ? messages.just : '',
    v: messages.subject[+anonymous],
    t: messages.title[+anonymous],
    n: counts || all,
    s: s(others),
  };
  return template.split(/[{}]/).map((part, n) => n % 2 ? values[part] : part).filter((piece) => piece)
    .map((piece) => typeof piece === 'number' ? String(piece) : /** @type {Piece} */ (piece));
}

/**
 * "just now", "2 minutes ago", "3 hours ago".
 * @param {number} at epoch ms
 * @param {number} now epoch ms
 * @param {string} lang
 * @returns {string}
 */
export function timeAgo(at, now, lang) {
  const minutes = Math.floor((now - at) / 60_000);
  if (minutes < 1) return messagesFor(lang).justNow;
  /** @type {[number, Intl.RelativeTimeFormatUnit]} */
  const [count, unit] = minutes < 60 ? [minutes, 'minute'] : minutes < 1440 ? [minutes / 60, 'hour'] : [minutes / 1440, 'day'];
  return new Intl.RelativeTimeFormat(localeFor(lang)).format(-Math.floor(count), unit);
}

/**
 * A sentence without elements, for the live region.
 * @param {Piece[]} pieces
 * @returns {string}
 */
export const plainText = (pieces) => pieces.map((piece) => typeof piece === 'string' ? piece : Object.values(piece)[0]).join('');
