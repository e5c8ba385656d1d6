// @ts-check
/**
 * Why a source does not ring: what is wrong with it, the likeliest cause first.
 * Not for: a single receipt (pages/source.js lists them).
 *
 * @import { ListenKey, Receipt, Source } from './api.js'
 */

import { el } from '../../js/dom.js';
import { isPrivate } from './guides.js';
import { badge, callout } from './pieces.js';
import { timeTag } from './time.js';
import { whySentence } from './why.js';
import { t, tn } from './i18n.js';

/** @param {Source} source */
export function sourceState(source) {
  if (source.badSignatures) return badge(t('source.bad'), 'bad');
  if (source.polled?.why) return badge(t('source.unreadable'), 'warn');
  return badge(t('source.ready'), 'good');
}

/**
 * @param {Source} source
 * @param {Receipt[]} receipts the newest of it
 * @param {{keys: ListenKey[], audience: string | undefined}} shop
 */
export function diagnosis(source, receipts, shop) {
  const found = [
    ...ofSecret(source, receipts), ...ofPoll(source), ...ofReceipts(source, receipts), ...ofListeners(shop),
  ];
  return el('div', { class: 'findings', data: { role: 'findings' } }, ...found.length ? found : [callout('good', t('finding.none'))]);
}

/**
 * @param {Source} source
 * @param {Receipt[]} receipts
 */
function ofSecret({ badSignatures: bad }, receipts) {
  if (!bad) return [];
  const mended = receipts[0] && Date.parse(receipts[0].receivedAt) > Date.parse(bad.lastAt);
  return [callout(mended ? '' : 'bad', el('strong', {}, tn('finding.signature', bad.count)), ' ', timeTag(bad.lastAt),
    el('span', { class: 'sub' }, whySentence(bad.why)), el('p', {}, t(mended ? 'finding.signature.mended' : 'finding.signature.do')))];
}

/** @param {Source} source */
function ofPoll({ polled }) {
  return polled?.why ? [callout('warn', el('strong', {}, t('finding.poll')), ' ', timeTag(polled.at), el('span', { class: 'sub' }, whySentence(polled.why)))] : [];
}

/**
 * @param {Source} source
 * @param {Receipt[]} receipts
 */
function ofReceipts(source, receipts) {
  if (receipts.length === 0) {
    if (source.badSignatures) return [];
    return [callout('warn', el('strong', {}, t('finding.nothing')), el('p', {}, t(isPrivate(source) ? 'finding.nothing.private' : 'finding.nothing.do')))];
  }
  const silent = receipts.find(({ outcome }) => outcome === 'kept' || outcome === 'malformed');
  return silent ? [callout(silent.outcome === 'malformed' ? 'bad' : '', el('strong', {}, t('finding.silent', { number: silent.number ?? silent.topic ?? '' })), ' ', timeTag(silent.receivedAt),
    el('p', { data: { role: 'silent-why' } }, whySentence(silent.why)))] : [];
}

/** @param {{keys: ListenKey[], audience: string | undefined}} shop */
function ofListeners({ keys, audience }) {
  if (audience !== 'members' || keys.some(({ revokedAt }) => revokedAt === null)) return [];
  return [callout('', el('strong', {}, t('finding.listeners')), el('p', {}, t('finding.listeners.do'), ' ', el('a', { href: '/admin/listen-keys' }, t('nav.keys'))))];
}
