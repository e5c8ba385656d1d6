/**
 * A program that tests start, end and start again at the same port.
 * Not for: the shop as most tests want it (support.mjs).
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { listens } from './proxies.mjs';
import { end } from './support.mjs';

export class Program {
  #child;

  constructor(command, port, options = {}) {
    Object.assign(this, { command, port, options });
  }

  async start() {
    const [program, ...args] = this.command;
    this.#child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'], ...this.options });
    await once(this.#child, 'spawn');
    await listens(this.port, () => this.#child.exitCode === null);
  }

  get pid() {
    return this.#child.pid;
  }

  async stop(signal) {
    if (this.#child) await end(this.#child, signal);
  }
}
