// @ts-check
/**
 * The shop's HTTP interface (docs/contract.md §2): JSON in and out, problem+json as errors.
 * Not for: what a page does about an error, nor the real-time events (realtime.js).
 *
 * @typedef {object} User
 * @property {number} userId
 * @property {string} email
 * @property {string} nickname
 * @property {'member' | 'admin'} role
 * @property {boolean} hidePurchases
 * @property {string} createdAt RFC 3339
 *
 * @typedef {object} Goods
 * @property {number} goodsId
 * @property {string} name
 * @property {string} thumbnailUrl
 * @property {string} category
 * @property {number} price major unit
 * @property {string} currency ISO 4217
 * @property {number | null} stock null: unlimited
 * @property {boolean} [listed] false: known, not sold here
 *
 * @typedef {object} Line goods of a cart or of an order under review
 * @property {Goods} goods
 * @property {number} quantity
 *
 * @typedef {object} OrderItem as it was when ordered
 * @property {number} goodsId
 * @property {string} name
 * @property {number} price major unit
 * @property {number} quantity
 *
 * @typedef {object} Order
 * @property {number} orderId
 * @property {'placed' | 'canceled'} status
 * @property {OrderItem[]} items
 * @property {number} total major unit
 * @property {string} currency ISO 4217
 * @property {string} createdAt RFC 3339
 *
 * @typedef {object} Shop
 * @property {string} currency ISO 4217
 * @property {number} currencyDecimals
 * @property {'members' | 'everyone'} audience
 * @property {string} [time] the server's clock, RFC 3339
 *
 * @typedef {number | string} Cursor where the next page of a list begins
 * @typedef {{items: {goodsId: number, quantity: number}[]} | {fromCart: true}} OrderRequest
 * @typedef {Record<string, string>} Form
 */

import { lang, t } from './i18n.js';
import { setDecimals } from './money.js';

/** Of one goods in a cart or an order. */
export const MAX_QUANTITY = 999;

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
 * @typedef {object} RequestOptions
 * @property {unknown} [body] a Blob goes as it is, all else as JSON
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 */

/**
 * @param {string} method
 * @param {string} path below /api
 * @param {RequestOptions} [options]
 * @returns {Promise<{json: any, headers: Headers}>} the JSON of the answer, null when it has none
 */
export async function request(method, path, { body, headers = {}, signal } = {}) {
  const isRaw = body instanceof Blob;
  /** @type {Record<string, string>} */
  const sent = { Accept: 'application/json', 'Accept-Language': lang, ...headers };
  if (body !== undefined) sent['Content-Type'] ??= isRaw ? body.type : 'application/json';
  /** @type {Response} */
  let response;
  let text = '';
  try {
    response = await fetch(`/api${path}`, {
      method, signal, credentials: 'same-origin', headers: sent,
      body: body === undefined ? null : isRaw ? body : JSON.stringify(body),
    });
    // One that is cut off, as by leaving the page, is no answer: nobody knows what was done.
    text = await response.text();
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, { code: 'network', errorMessage: t('error.network') });
  }
  const json = parse(text);
  if (response.ok) return { json, headers: response.headers };
  throw new ApiError(response.status, json ?? {}, Number(response.headers.get('Retry-After')) || null);
}

/** @param {string} text of an answer: none, JSON, or a proxy's page */
function parse(text) {
  try { return JSON.parse(text); } catch { return null; }
}

/**
 * @param {string} method
 * @param {string} path below /api
 * @param {RequestOptions} [options]
 * @returns {Promise<any>} the JSON of the answer, null when it has none
 */
export const call = async (method, path, options) => (await request(method, path, options)).json;

/** @param {Record<string, string | number | boolean | null | undefined>} params */
export function query(params) {
  const given = Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return given.length ? `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}` : '';
}

/** @param {number} goodsId */
const cartPath = (goodsId) => `/goods/${goodsId}/cart`;

/** What the shop says of itself; null when it will not. @type {Promise<Shop | null> | null} */
let shop = null;

/** Asks what the shop is, once for each page. A server that does not say leaves the decimals to the browser. */
export function loadShop() {
  shop ??= call('GET', '/shop').then((said) => {
    setDecimals(said.currency, said.currencyDecimals);
    return said;
  }, () => null);
  return shop;
}

/**
 * For answers with prices, which are shown only when their decimals are known.
 * @param {Promise<any>} request
 */
export async function priced(request) {
  const [answer] = await Promise.all([request, loadShop()]);
  return answer;
}

export const api = {
  shop: loadShop,

  /**
   * For administrators: what visitors reported in the rooms.
   * @returns {Promise<{reports: {reportId: number, room: string, nickname: string, message: string}[]}>}
   */
  openReports: () => call('GET', '/admin/reports?state=open&limit=1000'),

  /** @param {number} reportId of something that its author is to be silenced for */
  muteByReport: (reportId) => call('POST', `/admin/reports/${reportId}/mute`),

  /** @param {Form} form */
  register: (form) => call('POST', '/users', { body: form }),

  /** @param {Form} form */
  logIn: (form) => call('POST', '/auth', { body: form }),

  /** @param {string} email */
  askForReset: (email) => call('POST', '/auth/reset', { body: { email } }),

  /**
   * @param {string} token
   * @param {string} password
   */
  confirmReset: (token, password) => call('POST', '/auth/reset/confirm', { body: { token, password } }),

  logOut: () => call('DELETE', '/auth'),

  /** @returns {Promise<User>} */
  me: async () => (await call('GET', '/users/me')).user,

  /**
   * @param {Partial<Pick<User, 'nickname' | 'hidePurchases' | 'email'>> & {password?: string, currentPassword?: string}} fields
   * @returns {Promise<User>}
   */
  changeMe: async (fields) => (await call('PATCH', '/users/me', { body: fields })).user,

  /** @param {string} password */
  eraseMe: (password) => call('DELETE', '/users/me', { body: { password } }),

  /** Everywhere but here. */
  logOutElsewhere: () => call('DELETE', '/users/me/sessions'),

  /**
   * @param {{category?: string, q?: string, sort?: string | null, minPrice?: number | null, maxPrice?: number | null, inStock?: boolean | null,
   *   limit?: number, cursor?: Cursor | null}} params
   * @param {AbortSignal} [signal]
   * @returns {Promise<{goods: Goods[], nextCursor?: Cursor}>}
   */
  goodsList: (params, signal) => priced(call('GET', `/goods${query(params)}`, { signal })),

  /** @returns {Promise<string[]>} the names of all of the shop's categories */
  categories: async () => (await call('GET', '/categories')).categories.map((/** @type {{name: string}} */ { name }) => name),

  /**
   * @param {number} goodsId
   * @returns {Promise<{goods: Goods, orderedLastHour?: number}>}
   */
  goodsPage: (goodsId) => priced(call('GET', `/goods/${goodsId}`)),

  /**
   * @param {number} goodsId
   * @returns {Promise<Goods>}
   */
  goods: async (goodsId) => (await priced(call('GET', `/goods/${goodsId}`))).goods,

  /**
   * Whether the shop has these goods; null when that cannot be told.
   * @param {number} goodsId
   * @returns {Promise<boolean | null>}
   */
  isSold: (goodsId) => call('HEAD', `/goods/${goodsId}`)
    .then(() => true, (error) => error instanceof ApiError && error.status === 404 ? false : null),

  /** @returns {Promise<Line[]>} */
  cart: async () => (await priced(call('GET', '/goods/cart'))).cart,

  /**
   * @param {number} goodsId
   * @param {number} quantity
   */
  addToCart: (goodsId, quantity) => call('POST', cartPath(goodsId), { body: { quantity } }),

  /**
   * @param {number} goodsId
   * @param {number} quantity
   */
  setInCart: (goodsId, quantity) => call('PUT', cartPath(goodsId), { body: { quantity } }),

  /** @param {number} goodsId */
  removeFromCart: (goodsId) => call('DELETE', cartPath(goodsId)),

  /**
   * @param {OrderRequest} order
   * @param {string} key of idempotency
   * @returns {Promise<{order: Order, id: number | null}>} `id`: the offset of its alert, if there is one
   */
  placeOrder: (order, key) => call('POST', '/orders', { body: order, headers: { 'Idempotency-Key': key } }),

  /**
   * The log of alerts: the newest, or those that follow an offset; oldest of them first.
   * @param {{after?: number | null, limit: number}} params
   * @returns {Promise<{notifications: {id: number, event: string, data: Record<string, any>}[], latest: number}>}
   */
  notifications: (params) => call('GET', `/notifications${query(params)}`),

  /**
   * @param {{limit?: number, cursor?: Cursor | null}} params
   * @returns {Promise<{orders: Order[], nextCursor?: Cursor}>}
   */
  orders: (params) => priced(call('GET', `/orders${query(params)}`)),

  /**
   * @param {number} orderId
   * @returns {Promise<Order>}
   */
  order: async (orderId) => (await priced(call('GET', `/orders/${orderId}`))).order,

  /**
   * @param {number} orderId
   * @returns {Promise<Order>}
   */
  cancelOrder: async (orderId) => (await call('POST', `/orders/${orderId}/cancel`)).order,
};
