/**
 * Socket.IO's official clients, the events that they receive, and a proxy in front of the shop that can be cut off.
 * Not for: what is tested.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';

import { DEADLINE_MS } from './support.mjs';

const require = createRequire(import.meta.url);

/** The clients by their version; `recovers` since there is connection state recovery. */
export const CLIENTS = ['3.0', '3.1', '4.0', '4.5', '4.6', '4.8'].map((version) => ({
  version,
  io: require(`socket.io-client-${version.replace('.', '-')}`),
  recovers: version >= '4.6',
}));

/** How a client comes, and what it ends up with. */
export const WAYS = [
  { name: 'polling', options: { transports: ['polling'] }, transport: 'polling' },
  { name: 'websocket', options: { transports: ['websocket'] }, transport: 'websocket' },
  { name: 'upgrade', options: {}, transport: 'websocket' },
];

/** Fails when something takes longer than anything here does. */
export function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not in time: ${typeof what === 'function' ? what() : what}`)), DEADLINE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The events that a client received, in order, and waiting for more. */
export class EventLog {
  received = [];
  #waiting = new Set();

  record(event, ...args) {
    this.received.push({ event, args });
    for (const look of this.#waiting) look();
  }

  /** The arguments of each event of a name. */
  all(event) {
    return this.received.filter((one) => one.event === event).map(({ args }) => args);
  }

  /** The arguments of the first event of a name that fits, received already or not yet. */
  waitFor(event, fits = () => true) {
    let look;
    const found = new Promise((resolve) => {
      look = () => {
        const args = this.all(event).find((args) => fits(...args));
        if (args) resolve(args);
      };
      this.#waiting.add(look);
      look();
    });
    const last = () => JSON.stringify(this.received.slice(-8));
    return within(found, () => `${event}; the last events: ${last()}`).finally(() => this.#waiting.delete(look));
  }

  /** The arguments of the nth event of a name. */
  async nth(event, n) {
    await this.waitFor(event, () => this.all(event).length >= n);
    return this.all(event)[n - 1];
  }

  /** Where in the log the server said that a client is when it connected for the nth time. */
  async offsetAfterConnect(n) {
    const found = () => {
      let connects = 0;
      return this.received.find(({ event }) => (connects += event === 'connect') >= n && event === 'offset');
    };
    await this.nth('connect', n);
    await this.waitFor('offset', found);
    const [offset, ...rest] = found().args;
    assert.match(offset, /^\d+$/);
    assert.deepEqual(rest, []);
    return Number(offset);
  }

  /** Waits for the alert with an id. */
  async alert(id) {
    return (await this.waitFor('BUY_GOODS', (alert) => alert.id === id))[0];
  }

  /** The ids of the alerts, as they came. */
  get ids() {
    return this.all('BUY_GOODS').map(([alert]) => alert.id);
  }

  /** Every alert after an offset up to another came once and in order. */
  assertAlerts(after, last) {
    assert.deepEqual(this.ids, Array.from({ length: last - after }, (_, n) => after + 1 + n));
  }
}

/** A client on its way to the shop. `who` is by cookie, `token` by CONNECT, neither for a guest. */
export function open({ io }, way, url, { cookie, token, ...options } = {}) {
  const socket = io(url, {
    forceNew: true,
    reconnectionDelay: 20,
    reconnectionDelayMax: 100,
    randomizationFactor: 0,
    ...way.options,
    ...(cookie && { extraHeaders: { Cookie: cookie } }),
    ...(token && { auth: { token } }),
    ...options,
  });
  const events = new EventLog();
  for (const event of ['connect', 'connect_error', 'disconnect']) {
    socket.on(event, (...args) => events.record(event, ...args));
  }
  socket.onAny((...event) => events.record(...event));
  return { socket, events, ask: (...args) => within(new Promise((answer) => socket.emit(...args, answer)), `answer to ${args[0]}`) };
}

/** Waits until a client goes the way that it is to end up with. */
export async function arrive({ socket, events }, way) {
  await events.nth('connect', 1);
  const { engine } = socket.io;
  if (engine.transport.name !== way.transport) {
    await within(new Promise((upgraded) => engine.once('upgrade', upgraded)), 'upgrade');
  }
  assert.equal(engine.transport.name, way.transport);
}

/**
 * A proxy between clients and a shop: cut off, it drops all connections and accepts none; silent, it swallows what is said on
 * the connections that there are, without a word to either end.
 */
export async function openProxy(url) {
  let to = new URL(url);
  const ends = new Set();
  const pairs = new Map();
  let connected = true;
  const server = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      ends.add(one);
      pairs.set(one, other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        ends.delete(one);
        pairs.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
    if (!connected) near.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut() {
      connected = false;
      for (const end of ends) end.destroy();
    },
    silence() {
      for (const [one, other] of pairs) {
        one.unpipe(other);
        one.resume();
      }
    },
    restore() {
      connected = true;
    },
    /** Connections to come lead elsewhere; those that there are stay as they are. */
    leadTo(url) {
      to = new URL(url);
    },
    close() {
      this.cut();
      server.close();
    },
  };
}
