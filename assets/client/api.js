// @ts-check
/**
 * The shop's REST API, `/api`: JSON both ways, refusals as errors with their stable code.
 * Not for: events (client.js).
 *
 * @typedef {{server?: string, token?: string | null, key?: string | null}} ApiOptions
 */

import { uuid } from './uuid.js';

/** A refusal (problem+json, RFC 9457), or an answer that is none. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {any} problem
   * @param {number | null} retryAfter seconds
   */
  constructor(status, problem, retryAfter) {
    super(problem?.errorMessage ?? problem?.title ?? `HTTP ${status}`);
    this.name = 'ApiError';
    this.status = status;
    /** Stable, in snake case. @type {string | null} */
    this.code = problem?.code ?? null;
    /** What is wrong with which field. @type {{field: string, code: string, message: string}[]} */
    this.errors = problem?.errors ?? [];
    this.retryAfter = retryAfter;
    /** All that was said. */
    this.problem = problem;
  }
}

export class Api {
  #options;

  /** @param {ApiOptions} [options] as for a connection */
  constructor(options = {}) { this.#options = options; }

  /**
   * @param {string} method
   * @param {string} path below `/api`
   * @param {{query?: Record<string, unknown>, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal}} [more]
   * @returns {Promise<any>} the body; null when there is none
   * @throws {ApiError} for every answer but 2xx
   */
  async request(method, path, { query = {}, body, headers = {}, signal } = {}) {
    const { server = location.origin, token, key } = this.#options;
    const url = new URL(`/api${path}`, server);
    for (const [name, value] of Object.entries({ ...query, key })) {
      if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
    }
    const response = await fetch(url, {
      method, signal,
      headers: {
        ...body !== undefined && { 'Content-Type': 'application/json' },
        ...token && !key && { Authorization: `Bearer ${token}` }, ...headers,
      },
      // A key or a token is all that counts; without either it is the cookie.
      credentials: key || token ? 'omit' : 'include',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    let answer = null;
    try { answer = text ? JSON.parse(text) : null; } catch { /* no JSON: a proxy's page */ }
    if (!response.ok) throw new ApiError(response.status, answer, Number(response.headers.get('Retry-After')) || null);
    return answer;
  }

  /**
   * @param {string} path
   * @param {Record<string, unknown>} [query]
   */
  get(path, query) { return this.request('GET', path, { query }); }

  /**
   * All items of a list that comes in pages.
   * @param {string} path
   * @param {string} field that holds them
   * @param {Record<string, unknown>} [query]
   */
  async *pages(path, field, query = {}) {
    let cursor;
    do {
      const page = await this.get(path, { ...query, cursor });
      yield* page[field];
      cursor = page.nextCursor;
    } while (cursor);
  }

  /**
   * Places an order once, however often it is sent: tried again while the shop does not answer.
   * @param {{goodsId: number, quantity: number}[]} items
   * @param {{expectedTotal?: number, idempotencyKey?: string, tries?: number}} [options]
   */
  async placeOrder(items, { expectedTotal, idempotencyKey = uuid(), tries = 3 } = {}) {
    for (let left = tries; ; left -= 1) {
      try {
        return await this.request('POST', '/orders', { body: { items, expectedTotal }, headers: { 'Idempotency-Key': idempotencyKey } });
      } catch (error) {
        const mayPass = !(error instanceof ApiError) || error.status >= 500;
        if (!mayPass || left <= 1) throw error;
        const seconds = error instanceof ApiError && error.retryAfter || 1;
        await new Promise((resolve) => { setTimeout(resolve, seconds * 1_000); });
      }
    }
  }
}
