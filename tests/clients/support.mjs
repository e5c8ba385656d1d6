/**
 * What the tests of this folder share: the program with a database of its own, and a headless Chromium.
 * Not for: what is tested.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { chromium } from 'playwright-core';

/** Nothing here takes longer, also on a busy machine. */
export const DEADLINE_MS = 20_000;
export const PROGRAM = process.env.SHOPBELL ?? new URL('../../target/debug/shopbell', import.meta.url).pathname;

/** What tests do more often than people. */
export const RATES = ['--registration-rate', '100000', '--order-rate', '100000', '--handshake-rate', '100000'];

/**
 * Starts the program with `--demo` and waits for the `last` line that matters. Returns the process and what the lines said:
 * its address, the demo's people.
 */
export async function startDemo(database, last, args) {
  const child = spawn(PROGRAM, ['serve', '--demo', '--drain-timeout', '1s', ...RATES, ...args], {
    env: { ...process.env, DATABASE_URL: database, RUST_LOG: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Fails when there is no such program: build it, or name it in SHOPBELL.
  await once(child, 'spawn');
  const said = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const [, what, first, second] = /^(listening on|demo shopper:|demo admin:) (\S+) ?(\S+)?$/.exec(line) ?? [];
    if (what === 'listening on') said.url = first;
    if (what === 'demo shopper:') said.shopper = { email: first, password: second };
    if (what === 'demo admin:') said.admin = { email: first, password: second };
    if (what === last) {
      child.stdout.resume();
      return { child, said };
    }
  }
  await end(child);
  throw new Error(`the program ended before it said "${last}"`);
}

/** Ends a process, if it has not ended. */
export async function end(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/**
 * Starts the program with `--demo` on a free port. Returns its address, the demo's people and how to stop it: for good,
 * or to start it again with the same port and database; and how to start another node of the same shop, which is to be
 * stopped before it.
 */
export async function startShop(...args) {
  const folder = await mkdtemp(join(tmpdir(), 'shopbell-'));
  const shop = { url: '', folder, shopper: {}, admin: {}, beside: (...args) => startNode({ ...shop }, 'listening on', args) };
  const { pause } = await startNode(shop, 'demo admin:', args).catch(async (error) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  shop.stop = async () => {
    await pause();
    await rm(folder, { recursive: true, force: true });
  };
  return shop;
}

/** Starts the program on a free port, with the database of `shop`, and waits for the `last` line that matters. */
async function startNode(shop, last, args) {
  const database = `sqlite://${join(shop.folder, 'shop.db')}`;
  let child;
  const run = async (addr, last) => {
    const started = await startDemo(database, last, ['--addr', addr, ...args]);
    child = started.child;
    Object.assign(shop, started.said);
  };
  shop.pause = () => end(child);
  shop.resume = () => run(new URL(shop.url).host, 'listening on');
  shop.stop = shop.pause;
  await run('127.0.0.1:0', last);
  return shop;
}

/** A browser that calls nobody but the shop. */
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
}

/**
 * A shopper's own browser profile with one page, and what went wrong on it: console errors, exceptions, violations of
 * the CSP, failed requests. A refusal that a test provokes is allowed by its status.
 */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ baseURL: url, locale: 'en-US', ...options });
  context.setDefaultTimeout(DEADLINE_MS);
  const page = await context.newPage();
  const problems = [];
  const allowed = new Set();
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    const status = /status of (\d+)/.exec(message.text())?.[1];
    if (message.type() === 'error' && !allowed.has(Number(status))) {
      problems.push(`console: ${message.text()} (${message.location().url})`);
    }
  });
  return { context, page, problems, allow: (status) => allowed.add(status) };
}
