/**
 * Who comes to a shop that fails now and then: listeners of every transport that come back by themselves, and buyers who
 * insist. What they were told can then be compared with the log.
 * Not for: what fails (cluster.test.mjs, failover.test.mjs).
 */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { WebSocket } from 'ws';

import { CLIENTS, WAYS } from './sockets.mjs';
import { DEADLINE_MS } from './support.mjs';

/** Between two orders of a buyer. */
const PACE_MS = 60;
const { io } = CLIENTS.at(-1);

export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Waits until so many more orders were acknowledged. */
export async function assertGoesOn(orders, more, what, deadlineMs = DEADLINE_MS) {
  const [before, end] = [orders.length, Date.now() + deadlineMs];
  while (orders.length < before + more) {
    assert.ok(Date.now() < end, `after "${what}" only ${orders.length - before} orders came through`);
    await pause(50);
  }
}

/** Each acknowledged order is one of its own, and the alerts of all are a log without holes. Returns the newest one's id. */
export function assertOnce(orders) {
  assert.equal(new Set(orders.map(({ orderId }) => orderId)).size, orders.length, 'an order was acknowledged twice');
  const ids = orders.map(({ id }) => id).sort((one, other) => one - other);
  assert.deepEqual(ids, Array.from(ids, (_, n) => n + 1), 'offsets without holes');
  return ids.length;
}

/** Goods of the demo that never run out. */
export async function endlessGoods(url) {
  const { goods } = await (await fetch(`${url}/api/goods`)).json();
  return (goods.find(({ stock }) => stock === null || stock === undefined) ?? goods[0]).goodsId;
}

/** Ways to listen at a shop, each with the ids that it is told. */
const WAYS_TO_LISTEN = {
  'Socket.IO, polling': (url, ids) => overSocketIo(WAYS[0], url, ids),
  'Socket.IO, upgraded': (url, ids) => overSocketIo(WAYS[2], url, ids),
  'Socket.IO, WebSocket': (url, ids) => overSocketIo(WAYS[1], url, ids),
  WebSocket: overWebSocket,
  'Server-Sent Events': overEvents,
};

/** So many listeners of each way, each with its name and `ids`, and how to `close()` it. */
export function openListeners(url, each) {
  return Object.entries(WAYS_TO_LISTEN).flatMap(([name, open]) => Array.from({ length: each }, () => {
    const ids = [];
    return { name, ids, close: open(url, ids) };
  }));
}

/** Waits until each listener was told all up to `latest`, and makes sure that it was told so once and in order. */
export async function assertHeard(listeners, latest, deadlineMs = DEADLINE_MS) {
  const end = Date.now() + deadlineMs;
  const late = () => listeners.filter(({ ids }) => ids.at(-1) !== latest);
  while (late().length > 0) {
    const who = late().map(({ name, ids }) => `${name} at ${ids.at(-1)}`).slice(0, 9);
    assert.ok(Date.now() < end, `of ${latest} alerts: ${who.join(', ')}`);
    await pause(50);
  }
  for (const { name, ids } of listeners) {
    const wrong = ids.findIndex((id, n) => id !== n + 1);
    assert.ok(wrong < 0, `${name} was told ${ids.slice(Math.max(wrong - 3, 0), wrong + 3)} after ${wrong} alerts of ${latest}`);
  }
}

function overSocketIo(way, url, ids) {
  const socket = io(url, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 400, ...way.options });
  /** What comes while the past is read, which a session that is no longer known has missed; else nothing waits. */
  let waiting = null;
  /** Up to where the past was read, which may be beyond what has come: the answer overtakes the socket. */
  let read = 0;
  let connects = 0;
  const fill = async (connect) => {
    waiting ??= [];
    const live = waiting;
    try {
      const answer = await fetch(`${url}/api/notifications?after=${ids.at(-1) ?? 0}&limit=1000`);
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
  socket.on('BUY_GOODS', ({ id }) => { if (id > read) (waiting ?? ids).push(id); });
  socket.on('connect', () => { if (!socket.recovered) fill(connects += 1); });
  return () => socket.close();
}

function overWebSocket(url, ids) {
  let socket;
  let open = true;
  const connect = () => {
    socket = new WebSocket(`${url.replace('http', 'ws')}/ws?after=${ids.at(-1) ?? 0}`);
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

function overEvents(url, ids) {
  const stop = new AbortController();
  const read = async () => {
    while (!stop.signal.aborted) {
      try {
        const answer = await fetch(`${url}/api/events?after=${ids.at(-1) ?? 0}`, { signal: stop.signal });
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

/**
 * Orders one piece after the other, into `orders`, until told to stop; what is not acknowledged is asked for again under its
 * key. Each order has its number, and its offset as `id`.
 */
export function startBuyer(url, { token }, goodsId, orders) {
  let end = Infinity;
  const run = async () => {
    while (end === Infinity) {
      const key = randomUUID();
      for (;;) {
        assert.ok(Date.now() < end, 'the last order is refused for good');
        try {
          const answer = await fetch(`${url}/api/orders`, {
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
    end = Math.min(end, Date.now() + DEADLINE_MS);
    return done;
  };
}
