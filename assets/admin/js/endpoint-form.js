// @ts-check
/**
 * What an endpoint is told and where, as a form in a dialog; and its state in words.
 * Not for: deliveries (pages/endpoint.js).
 *
 * @import { Endpoint } from './api.js'
 */

import { el } from '../../js/dom.js';
import { askForm, closeButton, openDialog } from './dialogs.js';
import { checksField, chosen, textField } from './fields.js';
import { badge, copyBox } from './pieces.js';
import { timeTag } from './time.js';
import { t } from './i18n.js';

const EVENTS = ['order.placed', 'order.canceled', 'goods.updated', 'stock.low'];

/** @param {Endpoint} endpoint */
export function endpointState(endpoint) {
  if (!endpoint.enabled) return badge(t('endpoint.off'), endpoint.disabledBy === 'hand' ? '' : 'bad');
  return endpoint.failingSince ? badge(t('endpoint.failing'), 'warn') : badge(t('endpoint.on'), 'good');
}

/**
 * Why nothing is sent, or that it fails; nothing to say when all is well.
 * @param {Endpoint} endpoint
 */
export function endpointReason({ enabled, disabledBy, disabledAt, failingSince }) {
  if (!enabled) return el('span', { class: 'sub' }, t(`disabled.${disabledBy ?? 'hand'}`), ' ', timeTag(disabledAt));
  return failingSince ? el('span', { class: 'sub' }, t('endpoint.failing-since'), ' ', timeTag(failingSince)) : null;
}

/**
 * @param {{title: string, submit: string, endpoint?: Endpoint, save: (fields: {url: string, events: string[]}) => Promise<unknown>}} options
 */
export function askEndpoint({ title, submit, endpoint, save }) {
  askForm({
    title, submit,
    fields: [
      textField({ name: 'url', label: t('endpoint.url'), hint: t('endpoint.url.hint'), type: 'url', code: true, required: true, value: endpoint?.url, placeholder: 'https://…' }),
      checksField({ name: 'events', legend: t('endpoint.events'), chosen: endpoint?.events ?? ['order.placed', 'order.canceled'], options: EVENTS.map((event) => [event, t(`event.${event}`)]) }),
    ],
    onSubmit: ({ url }, form) => save({ url, events: chosen(form, 'events') }),
  });
}

/**
 * Shown this once.
 * @param {string} secret
 */
export function showSecret(secret) {
  openDialog(t('endpoint.secret.title'), el('p', {}, t('endpoint.secret.text')), copyBox(t('source.secret'), secret, 'endpoint-secret'),
    closeButton());
}
