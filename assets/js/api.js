/**
 * The shop's HTTP interface (docs/contract.md §2): JSON in and out, problem+json as errors.
 * Not for: what a page does about an error, nor the real-time events (realtime.js).
 */

import { lang, t } from './i18n.js';
import { setDecimals } from './money.js';

/** A refusal of the server, or no answer at all (`code` "network", `status` 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} problem RFC 9457 with `code`, `errorMessage`, `errors`
   * @param {number | null} [retryAfter] seconds
   */
  constructor(status, problem, retryAfter = null) {
    super(problem.errorMessage || problem.detail || problem.title || t('error.unknown'));
    this.status = status;
    this.code = String(problem.code ?? '');
    this.problem = problem;
    /** @type {{field: string, code: string, message: string}[]} */
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
    this.retryAfter = retryAfter;
  }
}

/**
 * @param {string} method
 * @param {string} path below /api
 * @param {{body?: unknown, headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the answer's JSON, null when it has none
 */
async function call(method, path, { body, headers = {}, signal } = {}) {
  /** @type {RequestInit} */
  const init = { method, signal, credentials: 'same-origin', headers: { Accept: 'application/json', 'Accept-Language': lang, ...headers } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    /** @type {any} */ (init.headers)['Content-Type'] = 'application/json';
  }
  let response;
  try {
    response = await fetch(`/api${path}`, init);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, { code: 'network', errorMessage: t('error.network') });
  }
  const json = await response.json().catch(() => null);
  if (response.ok) return json;
  throw new ApiError(response.status, json ?? {}, Number(response.headers.get('Retry-After')) || null);
}

const id = (/** @type {number | string} */ value) => encodeURIComponent(String(value));

/** @param {Record<string, string | number | null | undefined>} params */
function query(params) {
  const given = Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return given.length ? `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}` : '';
}

/**
 * What the shop is: asked once for each page, and needed before any price is shown. A shop that does not say leaves
 * the decimals to the browser.
 * @type {Promise<void> | null}
 */
let shop = null;

function knowShop() {
  shop ??= call('GET', '/shop').then(({ currency, currencyDecimals }) => setDecimals(currency, currencyDecimals)).catch(() => {});
  return shop;
}

/** Asks for something that has prices. @param {Promise<any>} answer */
async function priced(answer) {
  const [found] = await Promise.all([answer, knowShop()]);
  return found;
}

export const api = {
  register: (form) => call('POST', '/users', { body: form }),
  logIn: (form) => call('POST', '/auth', { body: form }),
  logOut: () => call('DELETE', '/auth'),
  me: () => call('GET', '/users/me').then((answer) => answer.user),
  changeMe: (fields) => call('PATCH', '/users/me', { body: fields }).then((answer) => answer.user),
  goodsList: (params, signal) => priced(call('GET', `/goods${query(params)}`, { signal })),
  categories: () => call('GET', '/categories').then((answer) => answer.categories.map(({ name }) => String(name))),
  goods: (goodsId) => priced(call('GET', `/goods/${id(goodsId)}`)).then((answer) => answer.goods),
  /** Whether the shop has these goods; true when that cannot be told. @returns {Promise<boolean>} */
  isSold: (goodsId) => call('HEAD', `/goods/${id(goodsId)}`)
    .then(() => true, (error) => !(error instanceof ApiError && error.status === 404)),
  cart: () => priced(call('GET', '/goods/cart')).then((answer) => answer.cart),
  addToCart: (goodsId, quantity) => call('POST', `/goods/${id(goodsId)}/cart`, { body: { quantity } }),
  setInCart: (goodsId, quantity) => call('PUT', `/goods/${id(goodsId)}/cart`, { body: { quantity } }),
  removeFromCart: (goodsId) => call('DELETE', `/goods/${id(goodsId)}/cart`),
  /** @returns {Promise<{order: any, id: number | null}>} `id`: the offset of its alert, if there is one */
  placeOrder: (order, key) => call('POST', '/orders', { body: order, headers: { 'Idempotency-Key': key } }),
  orders: (params) => priced(call('GET', `/orders${query(params)}`)),
  order: (orderId) => priced(call('GET', `/orders/${id(orderId)}`)).then((answer) => answer.order),
  cancelOrder: (orderId) => call('POST', `/orders/${id(orderId)}/cancel`).then((answer) => answer.order),
};
