// @ts-check
/**
 * What became of a receipt, in the reader's language. The server says it as a sentence; what is not known here stays as it is.
 * Not for: why an order of this shop did not ring (order-words.js).
 */

import { badge } from './pieces.js';
import { has, t } from './i18n.js';

/** The sentences of the server that most receipts have; groups are the message's `{what}`. @type {[RegExp, string][]} */
const KNOWN = [
  [/^a test order$/, 'why.test'],
  [/^the order was paid$/, 'why.paid'],
  [/^not paid yet: (.+)$/, 'why.unpaid'],
  [/^no news any more: it is of (.+)$/, 'why.late'],
  [/^orders of these goods are not told$/, 'why.goods'],
  [/^the order was known before$/, 'why.known'],
  [/^the order was withdrawn before$/, 'why.withdrawn-before'],
  [/^withdrawn before it was paid, so it is never told: (.+)$/, 'why.never'],
  [/^the order was canceled$/, 'why.canceled'],
  [/^(?:the order was refunded in whole|all of it was refunded)$/, 'why.refunded'],
  [/^a part was refunded, the order stands$/, 'why.part'],
  [/^the payment failed$/, 'why.failed'],
  [/^it asks whether somebody is there$/, 'why.ping'],
];

/** @type {Record<string, 'good' | 'warn' | 'bad' | ''>} */
const KINDS = { told: 'good', withdrawn: '', kept: 'warn', unchanged: '', goods: 'good', privacy: '', ignored: '', malformed: 'bad' };
export const OUTCOMES = Object.keys(KINDS);

/** @param {string} outcome */
export const outcomeName = (outcome) => has(`outcome.${outcome}`) ? t(`outcome.${outcome}`) : outcome;

/** @param {string} outcome */
export const outcomeBadge = (outcome) => badge(outcomeName(outcome), KINDS[outcome] ?? '');

/** @param {string} why a sentence of the server */
export function whySentence(why) {
  for (const [pattern, key] of KNOWN) {
    const match = pattern.exec(why);
    if (match) return t(key, { what: match[1] ?? '' });
  }
  return why.charAt(0).toUpperCase() + why.slice(1);
}
