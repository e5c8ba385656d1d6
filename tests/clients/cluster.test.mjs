/**
 * Three nodes behind a proxy that goes round, and clients of all transports spread over them, while nodes die, NATS and
 * PostgreSQL come and go, and lines are cut: every client's sequence is the log's, every acknowledged order exists once, every
 * webhook arrives.
 * Not for: one node, or the requests that one carries for another (the other files), how fast it is (bench).
 */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { WebSocket } from 'ws';

import { startCluster } from './cluster.mjs';
import { logIn } from './people.mjs';
import { CLIENTS, WAYS } from './sockets.mjs';

/** Clients of each way; more by hand: `CLIENTS_EACH=200 node --test cluster.test.mjs`. */
const EACH = Number(process.env.CLIENTS_EACH ?? 6);
/** Between two orders of each of the buyers. */
const PACE_MS = 60;
const BUYERS = 3;
const SETTLED_MS = 60_000;
const { io } = CLIENTS.at(-1);

let cluster;
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

before(async () => {
  cluster = await startCluster({
    args: ['--audience', 'everyone', '--allow-private-endpoints', '--max-sessions-per-address', '10000', '--max-connections-per-address', '10000'],
  });
});
after(() => cluster?.stop());

/** Listeners, each with the ids that it was told. */
const LISTENERS = {
  'Socket.IO, polling': (ids) => overSocketIo(WAYS[0], ids),
  'Socket.IO, upgraded': (ids) => overSocketIo(WAYS[2], ids),
  'Socket.IO, WebSocket': (ids) => overSocketIo(WAYS[1], ids),
  WebSocket: overWebSocket,
  'Server-Sent Events': overEvents,
};

function overSocketIo(way, ids) {
  const socket = io(cluster.url, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 400, ...way.options });
  /** What comes while the past is read, which a session that is no longer known has missed; else nothing waits. */
  let waiting = null;
  let connects = 0;
  /** The past may come before what is on its way to a session that polls. */
  let read = 0;
  const fill = async (connect) => {
    waiting ??= [];
    const live = waiting;
    try {
      const answer = await fetch(`${cluster.url}/api/notifications?after=${ids.at(-1) ?? 0}&limit=1000`);
      const { notifications } = await answer.json();
      // Another connection has come, whose answer has all of this.
      if (connect !== connects) return;
      ids.push(...notifications.filter(({ event }) => event === 'BUY_GOODS').map(({ id }) => id));
      read = ids.at(-1) ?? 0;
      ids.push(...live.filter((id) => id > read));
      waiting = null;
    } catch {
      setTimeout(() => connect === connects && fill(connect), 200);
    }
  };
  socket.on('BUY_GOODS', ({ id }) => id > read && (waiting ?? ids).push(id));
  socket.on('connect', () => { if (!socket.recovered) fill(connects += 1); });
  return () => socket.close();
}

function overWebSocket(ids) {
  let socket;
  let open = true;
  const connect = () => {
    socket = new WebSocket(`${cluster.url.replace('http', 'ws')}/ws?after=${ids.at(-1) ?? 0}`);
    socket.on('message', (text) => {
      const { type, payload } = JSON.parse(text);
      if (type === 'BUY_GOODS') ids.push(payload.id);
    });
    socket.on('error', () => {});
    socket.on('close', () => open && setTimeout(connect, 100));
  };
  connect();
  return () => {
    open = false;
    socket.terminate();
  };
}

function overEvents(ids) {
  const stop = new AbortController();
  const read = async () => {
    while (!stop.signal.aborted) {
      try {
        const answer = await fetch(`${cluster.url}/api/events?after=${ids.at(-1) ?? 0}`, { signal: stop.signal });
        let rest = '';
        for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
          const events = (rest + chunk).split('\n\n');
          rest = events.pop();
          for (const event of events) {
            if (/^event: BUY_GOODS$/m.test(event)) ids.push(JSON.parse(/^data: (.*)$/m.exec(event)[1]).id);
          }
        }
      } catch {
        // Cut off: again from where it stood.
      }
      await pause(100);
    }
  };
  read();
  return () => stop.abort();
}

/** Orders one piece after the other until told to stop; what is not acknowledged is asked for again under its key. */
function buyer({ token }, goodsId, orders) {
  let goesOn = true;
  const run = async () => {
    while (goesOn) {
      const key = randomUUID();
      for (;;) {
        try {
          const answer = await fetch(`${cluster.url}/api/orders`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, 'Idempotency-Key': key },
            body: JSON.stringify({ items: [{ goodsId, quantity: 1 }] }),
            signal: AbortSignal.timeout(10_000),
          });
          const body = await answer.json();
          if (answer.ok) {
            orders.push({ orderId: body.order.orderId, id: body.id });
            break;
          }
          assert.ok(answer.status >= 500 || answer.status === 429, `${answer.status} ${JSON.stringify(body)}`);
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
        }
        await pause(100);
      }
      await pause(PACE_MS);
    }
  };
  const done = run();
  return () => {
    goesOn = false;
    return done;
  };
}

/** What befalls the nodes, each with a while for the others to go on in. */
const TROUBLE = {
  'a node is killed, and comes back': async ({ nodes: [, , third] }) => {
    await third.stop('SIGKILL');
    await pause(1500);
    await third.start();
  },
  'NATS is gone for a while': async ({ nats }) => {
    await nats.stop('SIGKILL');
    await pause(1500);
    await nats.start();
  },
  'PostgreSQL restarts': async ({ postgres }) => {
    await postgres.stop('SIGINT');
    await pause(500);
    await postgres.start();
  },
  'a node is cut off from the bus': async ({ nodes: [first] }) => {
    first.bus.cut();
    await pause(2000);
    first.bus.restore();
  },
  'a node is cut off from the database': async ({ nodes: [, second] }) => {
    second.database.cut();
    await pause(2000);
    second.database.restore();
  },
  'a node is drained, as for an upgrade': async ({ nodes: [first] }) => {
    await first.stop('SIGTERM');
    await first.start();
  },
};

test('nothing is lost, repeated or out of order, whatever befalls the nodes', { timeout: 300_000 }, async () => {
  const at = { url: cluster.url };
  const shopper = await logIn(at, cluster.demo.shopper);
  const admin = await logIn(at, cluster.demo.admin);
  const { goods } = await (await fetch(`${cluster.url}/api/goods`)).json();
  const goodsId = goods.find(({ stock }) => stock === null || stock === undefined)?.goodsId ?? goods[0].goodsId;

  const told = new Set();
  const receiver = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { type, data } = JSON.parse(Buffer.concat(chunks).toString());
    if (type === 'order.placed') told.add(data.orderId ?? data.order?.orderId);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const made = await fetch(`${cluster.url}/api/admin/endpoints`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${admin.token}` },
    body: JSON.stringify({ url: `http://127.0.0.1:${receiver.address().port}/`, events: ['order.placed'] }),
  });
  assert.equal(made.status, 201);

  const listeners = Object.entries(LISTENERS).flatMap(([name, open]) => Array.from({ length: EACH }, () => {
    const ids = [];
    return { name, ids, close: open(ids) };
  }));
  const orders = [];
  await pause(1000);
  const buyers = Array.from({ length: BUYERS }, () => buyer(shopper, goodsId, orders));
  try {
    for (const [what, happens] of Object.entries(TROUBLE)) {
      const before = orders.length;
      await happens(cluster);
      const end = Date.now() + SETTLED_MS;
      while (orders.length < before + 20) {
        assert.ok(Date.now() < end, `after "${what}" only ${orders.length - before} orders came through`);
        await pause(50);
      }
    }
    await Promise.all(buyers.map((stop) => stop()));

    assert.equal(new Set(orders.map(({ orderId }) => orderId)).size, orders.length, 'an order was acknowledged twice');
    const latest = Math.max(...orders.map(({ id }) => id));
    const expected = Array.from({ length: latest }, (_, n) => n + 1);
    const end = Date.now() + SETTLED_MS;
    const late = () => listeners.filter(({ ids }) => ids.at(-1) !== latest);
    while (late().length > 0 || told.size < latest) {
      const who = late().map(({ name, ids }) => `${name} at ${ids.at(-1)}`).slice(0, 9);
      assert.ok(Date.now() < end, `of ${latest} alerts: ${who.join(', ')}; ${told.size} webhooks`);
      await pause(50);
    }
    for (const { name, ids } of listeners) assert.deepEqual(ids, expected, name);
    for (const { orderId } of orders) assert.ok(told.has(orderId), `the webhook of order ${orderId}`);
  } finally {
    listeners.forEach(({ close }) => close());
    receiver.closeAllConnections();
    receiver.close();
    await Promise.all(buyers.map((stop) => stop()));
  }
});
