/**
 * Tells shopbell of a paid order, signed with Standard Webhooks' official library:
 *
 *   npm install standardwebhooks
 *   BELL_URL=https://bell.example/hooks/src_… BELL_SECRET=whsec_… node announce.mjs 1001 "Kim" "Sparkling water" 2
 *
 * It tries again for a while if there is no answer, or none that is final. That is safe: an order is told once, however often.
 */

import { setTimeout as pause } from 'node:timers/promises';

import { Webhook } from 'standardwebhooks';

const [orderId, buyer, name, quantity = '1'] = process.argv.slice(2);
const { BELL_URL, BELL_SECRET } = process.env;
if (!BELL_URL || !BELL_SECRET || !name) {
  console.error('BELL_URL=… BELL_SECRET=… node announce.mjs ORDER BUYER GOODS [QUANTITY]');
  process.exit(2);
}
const webhook = new Webhook(BELL_SECRET);
const id = `order-${orderId}-paid`;
const body = JSON.stringify({
  type: 'order.paid',
  timestamp: new Date().toISOString(),
  data: { orderId, buyer, orderedAt: new Date().toISOString(), items: [{ name, quantity: Number(quantity) }] },
});

/** Sends it once. Whether there is nothing more to do, and what was said. */
async function send() {
  // Signed anew each time, because a signature is worth five minutes; the id stays.
  const now = new Date();
  const headers = {
    'Content-Type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': webhook.sign(id, now, body),
  };
  try {
    const answer = await fetch(BELL_URL, { method: 'POST', body, headers, signal: AbortSignal.timeout(10_000) });
    const passes = answer.status === 429 || answer.status >= 500;
    return { isFinal: !passes, ok: answer.ok, said: `${answer.status} ${await answer.text()}` };
  } catch (error) {
    return { isFinal: false, ok: false, said: error.cause?.message ?? error.message };
  }
}

for (let wait = 1_000; ; wait *= 2) {
  const { isFinal, ok, said } = await send();
  console.log(said);
  if (isFinal || wait > 60_000) process.exit(ok ? 0 : 1);
  await pause(wait);
}
