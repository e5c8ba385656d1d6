// @ts-check
/**
 * What toasts and pages say: complete in both languages, with plurals and particles.
 * Not for: where it is shown (../browser.test.mjs).
 */

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';

import en from '../../../assets/js/locales/en.js';
import ko from '../../../assets/js/locales/ko.js';
import { LOCALES, messagesFor, objectParticle, plainText, sentence, timeAgo } from '../../../assets/widget/messages.js';

const ASSETS = new URL('../../../assets/', import.meta.url);
const PAGES = { en, ko };
/** The ends of keys that `tn` makes of a number. */
const PLURAL = /\.(zero|one|two|few|many|other)$/;
const NOW = Date.parse('2026-11-21T12:00:00Z');

/** @param {Record<string, string>} messages */
const keys = (messages) => [...new Set(Object.keys(messages).map((key) => key.replace(PLURAL, '.#')))].sort();

/** @param {string} message */
const params = (message) => [...message.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

/** @param {{own?: boolean, age?: number, goods?: string, more?: number, names?: string[]}} [entry] */
function entryOf({ own = false, age = 0, goods = 'Honey', more = 0, names = ['mina'] } = {}) {
  const at = NOW - age;
  const orders = names.map((nickname, n) => ({ id: 9 - n, nickname, goodsId: 1, goodsName: goods, otherGoods: more, at }));
  return { own, at, orders };
}

/**
 * @param {'en' | 'ko'} lang
 * @param {Parameters<typeof entryOf>[0]} [entry]
 */
const say = (lang, entry) => plainText(sentence(entryOf(entry), NOW, messagesFor(lang)));

test('English and Korean have the same messages, none empty, with the same parameters', () => {
  assert.deepEqual(keys(ko), keys(en));
  for (const messages of Object.values(PAGES)) {
    for (const [key, message] of Object.entries(messages)) assert.match(message, /\S/, key);
  }
  for (const [key, message] of Object.entries(ko)) {
    const english = /** @type {Record<string, string>} */ (en)[key];
    assert.deepEqual(params(message), params(english), key);
  }
});

test('each language has exactly the plural forms that it uses', () => {
  for (const [lang, messages] of Object.entries(PAGES)) {
    const { pluralCategories } = new Intl.PluralRules(lang).resolvedOptions();
    const counted = keys(messages).filter((key) => key.endsWith('.#'));
    assert.ok(counted.length > 0);
    for (const key of counted) {
      const forms = Object.keys(messages).filter((one) => PLURAL.test(one) && one.replace(PLURAL, '.#') === key);
      assert.deepEqual(forms.map((one) => one.replace(/^.*\./, '')).sort(), [...pluralCategories].sort(), `${lang} ${key}`);
    }
  }
});

test('every key that a page uses has a message, and every message is used', async () => {
  const files = (await readdir(new URL('js/', ASSETS), { recursive: true }))
    .filter((name) => name.endsWith('.js') && !name.includes('locales'));
  const source = (await Promise.all(files.map((name) => readFile(new URL(`js/${name}`, ASSETS), 'utf8')))).join('\n');
  const used = [...source.matchAll(/\btn?\('([\w.-]+)'/g)].map(([call, key]) => call.startsWith('tn') ? `${key}.#` : key);
  const known = new Set(keys(en));
  assert.ok(used.length > 100);
  assert.deepEqual(used.filter((key) => !known.has(key)), [], 'without a message');
  // Keys that are chosen or put together: in quotes somewhere, the stem in a template, or a template with one part left open.
  const open = (/** @type {string} */ key) => key.split('.').map((_, n, parts) => [parts.slice(0, n), parts.slice(n + 1)]
    .map((some) => some.join('\\.')).join('\\.\\$\\{[^`}]+\\}\\.'));
  const isUsed = (/** @type {string} */ key) => used.includes(key) || source.includes(`'${key}'`)
    || source.includes(`\`${key.replace(/\.[^.]+$/, '')}.\${`) || open(key).some((one) => new RegExp(`\`${one}\``).test(source));
  assert.deepEqual([...known].filter((key) => !isUsed(key)), [], 'without a use');
});

test('the widget has every message in each language', () => {
  assert.deepEqual(Object.keys(LOCALES.ko).sort(), Object.keys(LOCALES.en).sort());
  for (const { region, close, justNow, someone } of Object.values(LOCALES)) {
    for (const text of [region, close, justNow, someone]) assert.match(text, /\S/);
  }
  assert.equal(messagesFor('ko-KR'), LOCALES.ko);
  for (const lang of ['en', 'kok', 'de-AT', '', null, undefined]) assert.equal(messagesFor(lang), LOCALES.en);
});

test('a purchase in English', () => {
  assert.equal(say('en'), 'mina just ordered Honey');
  assert.equal(say('en', { age: 60_000 }), 'mina ordered Honey');
  assert.equal(say('en', { more: 1 }), 'mina just ordered Honey and 1 more item');
  assert.equal(say('en', { more: 2 }), 'mina just ordered Honey and 2 more items');
  assert.equal(say('en', { own: true, more: 1 }), 'Your order of Honey and 1 more item is placed');
});

test('a purchase in Korean', () => {
  assert.equal(say('ko', { goods: '머그컵' }), 'mina님이 머그컵을 방금 주문했어요');
  assert.equal(say('ko', { goods: '사과', age: 60_000 }), 'mina님이 사과를 주문했어요');
  assert.equal(say('ko', { goods: '사과', more: 2 }), 'mina님이 사과 외 2개의 상품을 방금 주문했어요');
  assert.equal(say('ko', { own: true, goods: '사과' }), '사과 주문이 완료되었어요');
});

test('several purchases count people, or the orders of one', () => {
  assert.equal(say('en', { names: ['mina', 'theo'] }), 'mina and 1 other just ordered');
  assert.equal(say('en', { names: ['mina', 'theo', 'ann', 'theo'] }), 'mina and 2 others just ordered');
  assert.equal(say('en', { names: ['mina', 'mina'], age: 60_000 }), 'mina placed 2 orders');
  assert.equal(say('ko', { names: ['mina', 'theo'] }), 'mina님 외 1명이 방금 주문했어요');
  assert.equal(say('ko', { names: ['mina', 'mina', 'mina'] }), 'mina님이 방금 3건을 주문했어요');
});

test('who is not named is somebody, in the language of the sentence, and another each time', () => {
  const told = (/** @type {'en' | 'ko'} */ lang, /** @type {boolean[]} */ ...anonymous) => {
    const orders = anonymous.map((is, n) => ({
      id: 9 - n, nickname: is ? '***' : 'mina', anonymous: is, goodsId: 1, goodsName: lang === 'ko' ? '꿀' : 'Honey', otherGoods: 0, at: NOW,
    }));
    return plainText(sentence({ own: false, at: NOW, orders }, NOW, messagesFor(lang)));
  };
  assert.equal(told('en', true), 'Someone just ordered Honey');
  assert.equal(told('ko', true), '누군가가 꿀을 방금 주문했어요');
  assert.equal(told('en', true, true, false, false), 'Someone and 2 others just ordered');
  assert.equal(told('ko', true, true), '누군가 외 1명이 방금 주문했어요');
  assert.equal(told('ko', false, true), 'mina님 외 1명이 방금 주문했어요');
});

test('the object particle follows the last syllable', () => {
  assert.deepEqual(['사과', '머그컵', '꿀 ', 'Honey', '비타민 C', '500', ''].map(objectParticle),
    ['를', '을', '을', '을(를)', '을(를)', '을(를)', '을(를)']);
});

test('names and goods are pieces of their own, so that they never become markup', () => {
  for (const lang of /** @type {const} */ (['en', 'ko'])) {
    const pieces = sentence(entryOf({ names: ['<b>'], goods: '<i>' }), NOW, messagesFor(lang));
    assert.ok(pieces.every((piece) => typeof piece !== 'string' || !/[<>]/.test(piece)));
    assert.ok(pieces.some((piece) => typeof piece !== 'string' && 'name' in piece && piece.name === '<b>'));
    assert.ok(pieces.some((piece) => typeof piece !== 'string' && 'goods' in piece && piece.goods === '<i>'));
  }
});

test('how long ago, never in the future', () => {
  const minute = 60_000;
  const ages = [-minute, 0, minute - 1, minute, 59 * minute, 60 * minute, 23 * 60 * minute, 48 * 60 * minute];
  assert.deepEqual(ages.map((age) => timeAgo(NOW - age, NOW, 'en')),
    ['just now', 'just now', 'just now', '1 minute ago', '59 minutes ago', '1 hour ago', '23 hours ago', '2 days ago']);
  assert.deepEqual([0, minute].map((age) => timeAgo(NOW - age, NOW, 'ko')), ['방금', '1분 전']);
});
