// @ts-check
/**
 * How to connect a shop of each kind, step by step, with what is to be copied into it.
 * Not for: making the source (pages/sources.js).
 *
 * @import { Source } from './api.js'
 * @import { Child } from '../../js/dom.js'
 */

import { el } from '../../js/dom.js';
import { badge, copyBox } from './pieces.js';
import { t } from './i18n.js';

/** @type {Source['kind'][]} */
export const KINDS = ['woocommerce', 'shopify', 'stripe', 'standard'];

/** What each kind is to send; the names are those of its own pages. */
const TOPICS = {
  woocommerce: ['Order created', 'Order updated', 'Order deleted', 'Order restored'],
  shopify: ['Order payment', 'Order update', 'Order cancellation', 'Refund create'],
  stripe: ['checkout.session.completed', 'checkout.session.async_payment_succeeded', 'checkout.session.async_payment_failed', 'charge.refunded'],
};
const STRIPE_METADATA = `metadata: {
  goods_name: 'Print A3',
  goods_sku: 'PRINT-A3',
  goods_quantity: '2',
  goods_url: 'https://my-shop.example/prints/a3',
}`;

/**
 * The address that the other shop calls.
 * @param {Source} source
 */
export const hookUrl = ({ url }) => new URL(url, location.origin).href;

/** Whether no shop on the internet can call this address. @param {Source} source */
export function isPrivate(source) {
  const { protocol, hostname } = new URL(hookUrl(source));
  return protocol !== 'https:' || /^(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[)/.test(hostname);
}

/**
 * @param {Source} source
 * @param {string | null} secret when it was made just now
 * @param {Child[]} [more] what can be done in the last step but one
 */
export function guide(source, secret, more = []) {
  const url = () => copyBox(t('source.url'), hookUrl(source), 'source-url');
  const secretBox = () => secret ? copyBox(t('source.secret'), secret, 'source-secret') : el('p', { class: 'note' }, t('guide.secret.gone'));
  /** @type {Record<Source['kind'], (Child | Child[])[]>} */
  const steps = {
    woocommerce: [
      [t('guide.woo.1'), topics(TOPICS.woocommerce), el('p', { class: 'note' }, t('guide.woo.products'))],
      [t('guide.woo.2'), url(), secretBox()],
      [t('guide.woo.3')],
      [t('guide.woo.4'), ...more],
    ],
    shopify: [
      [t('guide.shopify.1')],
      [t('guide.shopify.2'), url(), topics(TOPICS.shopify), el('p', { class: 'note' }, t('guide.shopify.products'))],
      [t('guide.shopify.3'), ...more],
    ],
    stripe: [
      [t('guide.stripe.1'), url(), topics(TOPICS.stripe)],
      [t('guide.stripe.2'), ...more],
      [t('guide.stripe.3'), copyBox(t('guide.stripe.metadata'), STRIPE_METADATA)],
    ],
    standard: [
      [t('guide.standard.1'), url(), secretBox()],
      [t('guide.standard.2'), copyBox(t('guide.standard.example'), curl(source, secret))],
      [t('guide.standard.3'), ...more],
    ],
  };
  return el('ol', { class: 'steps', role: 'list' }, ...[...steps[source.kind] ?? [], [t('guide.bell'), el('p', {}, el('a', { href: '/admin/listen-keys' }, t('nav.keys')))]]
    .map((step) => el('li', {}, el('div', {}, step))));
}

/** @param {string[]} names */
const topics = (names) => el('div', { class: 'badges' }, ...names.map((name) => badge(name)));

/**
 * @param {Source} source
 * @param {string | null} secret
 */
function curl(source, secret) {
  const body = JSON.stringify({ type: 'order.paid', data: { orderId: '1001', buyer: 'Mina Kim', items: [{ name: 'Jasmine tea', quantity: 2 }] } });
  return `curl ${hookUrl(source)} \\
  -H 'Authorization: Bearer ${secret ?? 'whsec_…'}' \\
  -H 'Content-Type: application/json' \\
  -d '${body}'`;
}
