// @ts-check
/**
 * A test order in the name of a source, while its secret is known here: it goes in by the door of all orders.
 * Not for: orders that ring; a test never does.
 *
 * @import { Source } from './api.js'
 */

import { ApiError } from '../../js/api.js';
import { el } from '../../js/dom.js';
import { outcomeBadge, whySentence } from './why.js';
import { workButton } from './pieces.js';
import { t } from './i18n.js';

/**
 * @param {Source} source of the kind `standard`
 * @param {string} secret
 */
export function sendTestOrder({ sourceId }, secret) {
  const said = el('p', { role: 'status', data: { role: 'test-outcome' } });
  const button = workButton(t('test-order.send'), async () => {
    const body = { type: 'order.paid', data: { orderId: `test-${Date.now()}`, test: true, items: [{ name: t('test-order.goods'), quantity: 1 }] } };
    const answer = await fetch(`/hooks/${encodeURIComponent(sourceId)}`, {
      method: 'POST', headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
    const json = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new ApiError(answer.status, json);
    said.replaceChildren(outcomeBadge(json.outcome), ' ', whySentence(json.why ?? ''), ' ', t('test-order.works'));
  }, { action: 'send-test-order' });
  return el('div', {}, button, said);
}
