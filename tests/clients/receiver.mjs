/**
 * A receiver of a shop's webhooks.
 * Not for: what they say and how they are signed (hooks.test.mjs).
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { pause } from './shoppers.mjs';
import { DEADLINE_MS } from './support.mjs';

/** Starts it, and has the shop tell it of orders; `admin` is who may say so. */
export async function startReceiver({ url }, admin) {
  const told = new Set();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { type, data } = JSON.parse(Buffer.concat(chunks).toString());
    if (type === 'order.placed') told.add(data.orderId ?? data.order?.orderId);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const made = await fetch(`${url}/api/admin/endpoints`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${admin.token}` },
    body: JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/`, events: ['order.placed'] }),
  });
  assert.equal(made.status, 201);
  return {
    /** Waits until it was told of each of these orders. */
    async assertTold(orders, deadlineMs = DEADLINE_MS) {
      const end = Date.now() + deadlineMs;
      const missing = () => orders.filter(({ orderId }) => !told.has(orderId));
      while (missing().length > 0) {
        assert.ok(Date.now() < end, `of ${orders.length} webhooks ${missing().length} did not come`);
        await pause(50);
      }
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
