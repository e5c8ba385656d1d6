// @ts-check
/**
 * The shopkeeper's HTTP interface (docs/contract.md §2, §4, §5 and §6): what only admins may ask.
 * Not for: what a page does about an error.
 *
 * @import { Cursor, Goods, Order } from '../../js/api.js'
 *
 * @typedef {Record<string, string | number | null | undefined>} Params
 *
 * @typedef {object} OrderMore
 * @property {{userId: number, nickname: string} | null} buyer
 * @property {string | null} buyerName as another shop says it
 * @property {{sourceId: string, name: string, kind: string} | null} source null: this shop
 * @property {string | null} number the source's own
 * @property {string | null} orderedAt RFC 3339
 * @property {string | null} canceledAt RFC 3339
 * @property {boolean} announced
 * @property {number | null} notificationId
 * @property {string | null} silence why it was not announced
 * @property {{status: string, date: string}[]} [history]
 * @typedef {Order & OrderMore} AdminOrder
 *
 * @typedef {Goods & {sku: string | null, description: string, url: string | null, announce: boolean, listed: boolean, createdAt: string, updatedAt: string}} AdminGoods
 * @typedef {{changeId: number, kind: 'opening' | 'set' | 'change', change: number, stock: number | null, reason: string | null, by: {userId: number, nickname: string} | null, createdAt: string}} StockChange
 * @typedef {{line: number, sku?: string, name?: string, outcome: string, changes?: Record<string, [unknown, unknown]>}} ImportLine
 * @typedef {{created: number, updated: number, unchanged: number, refused: {line: number, errors: {field: string, message: string}[]}[], refusals: number, lines?: ImportLine[]}} ImportResult
 *
 * @typedef {object} Source
 * @property {string} sourceId
 * @property {'shopify' | 'woocommerce' | 'stripe' | 'standard'} kind
 * @property {string} name
 * @property {string} url
 * @property {string} buyer
 * @property {string | null} goodsName
 * @property {string} announceWithin
 * @property {number} rate
 * @property {string | null} currency
 * @property {string | null} pollUrl
 * @property {{at: string, failures: number, why: string | null} | null} polled
 * @property {{createdAt: string, endsAt: string | null}[]} secrets
 * @property {{count: number, lastAt: string, why: string} | null} badSignatures
 * @property {string} createdAt
 *
 * @typedef {{receiptId: number, receivedAt: string, via: string, topic: string | null, number: string | null, outcome: string, why: string, orderId: number | null, body: string | null}} Receipt
 * @typedef {{endpointId: number, url: string, events: string[], enabled: boolean, disabledAt: string | null, disabledBy: string | null, failingSince: string | null, lost: number, oldSecretUntil: string | null, createdAt: string}} Endpoint
 * @typedef {{deliveryId: number, messageId: string, type: string, status: 'waiting' | 'delivered' | 'failed', tries: number, eventAt: string, nextAttemptAt: string | null, updatedAt: string}} Delivery
 * @typedef {{at: string, status: number | null, error: string | null, millis: number, answer: string}} Attempt
 * @typedef {{key: string, name: string | null, origins: string[], display: 'masked' | 'full', createdAt: string, revokedAt: string | null}} ListenKey
 * @typedef {{userId: number, email: string, nickname: string, role: 'member' | 'admin', banned: boolean, muted?: boolean, hidePurchases: boolean, createdAt: string, orders: number, sessions: number}} Person
 * @typedef {{reportId: number, room: string, nickname: string, message: string, date: string, user: {userId: number, nickname: string} | null, reporter: {userId: number, nickname: string} | null,
 *   reportedAt: string, outcome: 'dismissed' | 'muted' | null, closedAt: string | null, muted: boolean}} Report
 * @typedef {{auditId: number, date: string, admin: {userId: number, nickname: string} | null, action: string, subject: string, details: Record<string, unknown>}} AuditEntry
 *
 * @typedef {{seconds: number, gapSeconds: number, atOnce: number, perVisit: number, include: string[], exclude: string[], quietDays: number, digestPerSecond: number | null}} ToastSettings
 * @typedef {{audience: string, nicknameDisplay: string, unnamedBuyer: string, neverAnnounceCategories: string[], toasts: ToastSettings}} AlertSettings
 */

import { ApiError, api, call, loadShop, priced, query, request } from '../../js/api.js';

/**
 * Whether this server does not have what was asked for, an older program behind newer pages; or no longer.
 * @param {unknown} error
 */
export const isMissing = (error) => error instanceof ApiError && (error.status === 404 || error.status === 405);

/** @param {string | number} part */
const part = (part) => encodeURIComponent(part);

/** @param {string | number} id */
const source = (id) => `/admin/sources/${part(id)}`;
/** @param {string | number} id */
const endpoint = (id) => `/admin/endpoints/${part(id)}`;

export const admin = {
  /** What the shop is; null when it does not say. */
  shop: loadShop,

  /** @param {Params} params @returns {Promise<{orders: AdminOrder[], nextCursor?: Cursor}>} */
  orders: (params) => priced(call('GET', `/admin/orders${query(params)}`)),
  /** @param {Params} params the address of the same orders as a file */
  ordersFile: (params) => `/api/admin/orders${query({ ...params, format: 'csv' })}`,
  /** @param {string | number} id @returns {Promise<AdminOrder>} */
  order: async (id) => (await priced(call('GET', `/admin/orders/${part(id)}`))).order,
  /** @param {string | number} id @returns {Promise<AdminOrder>} */
  cancelOrder: async (id) => (await call('POST', `/admin/orders/${part(id)}/cancel`)).order,

  /** @param {Params} params @returns {Promise<{goods: AdminGoods[], nextCursor?: Cursor}>} also those that are not sold here */
  goodsList: (params) => priced(call('GET', `/admin/goods${query(params)}`)),
  categories: api.categories,
  /** @param {string | number} id @returns {Promise<{goods: AdminGoods, tag: string | null}>} with what `If-Match` wants */
  goods: async (id) => {
    const [{ json, headers }] = await Promise.all([request('GET', `/goods/${part(id)}`, { headers: { 'Cache-Control': 'no-cache' } }), loadShop()]);
    return { goods: json.goods, tag: headers.get('ETag') };
  },
  /** @param {Record<string, unknown>} fields @returns {Promise<AdminGoods>} */
  makeGoods: async (fields) => (await call('POST', '/goods', { body: fields })).goods,
  /** @param {string | number} id @param {Record<string, unknown>} fields @param {string | null} tag of what is changed @returns {Promise<AdminGoods>} */
  changeGoods: async (id, fields, tag) => (await call('PATCH', `/goods/${part(id)}`, { body: fields, headers: tag ? { 'If-Match': tag } : {} })).goods,
  /** @param {string | number} id */
  deleteGoods: (id) => call('DELETE', `/goods/${part(id)}`),
  /** @param {string | number} id @param {{change: number, reason?: string}} change @returns {Promise<AdminGoods>} */
  changeStock: async (id, change) => (await call('POST', `/goods/${part(id)}/stock`, { body: change })).goods,
  /** @param {string | number} id @param {Params} params @returns {Promise<{changes: StockChange[], nextCursor?: Cursor}>} */
  stockChanges: (id, params) => call('GET', `/goods/${part(id)}/stock${query(params)}`),
  /** @param {Blob} picture @returns {Promise<{url: string}>} */
  upload: async (picture) => (await call('POST', '/admin/media', { body: picture })).media,
  /** @param {Blob} file @param {boolean} dryRun @returns {Promise<ImportResult>} */
  importGoods: (file, dryRun) => call('POST', `/goods/import${query({ dryRun: dryRun ? 'true' : null })}`, { body: file }),

  /** @returns {Promise<Source[]>} */
  sources: async () => (await call('GET', '/admin/sources')).sources,
  /** @param {string} id @returns {Promise<Source>} */
  source: async (id) => (await call('GET', source(id))).source,
  /** @param {Record<string, unknown>} fields @returns {Promise<{source: Source, secret?: string}>} */
  makeSource: (fields) => call('POST', '/admin/sources', { body: fields }),
  /** @param {string} id @param {Record<string, unknown>} fields @returns {Promise<Source>} */
  changeSource: async (id, fields) => (await call('PATCH', source(id), { body: fields })).source,
  /** @param {string} id */
  removeSource: (id) => call('DELETE', source(id)),
  /** @param {string} id @param {{secret?: string, dropOld?: boolean}} fields @returns {Promise<{source: Source, secret?: string}>} */
  rotateSource: (id, fields) => call('POST', `${source(id)}/rotate`, { body: fields }),
  /** @param {string} id @param {Params} params @returns {Promise<{receipts: Receipt[], nextCursor?: Cursor}>} */
  receipts: (id, params) => call('GET', `${source(id)}/receipts${query(params)}`),
  /** @param {string} id @param {number} receipt @returns {Promise<{outcome: string, why: string, orderId?: number}>} */
  retryReceipt: (id, receipt) => call('POST', `${source(id)}/receipts/${receipt}/retry`),

  /** @returns {Promise<Endpoint[]>} */
  endpoints: async () => (await call('GET', '/admin/endpoints')).endpoints,
  /** @param {string} id @returns {Promise<Endpoint>} */
  endpoint: async (id) => (await call('GET', endpoint(id))).endpoint,
  /** @param {{url: string, events: string[]}} fields @returns {Promise<{endpoint: Endpoint, secret: string}>} */
  makeEndpoint: (fields) => call('POST', '/admin/endpoints', { body: fields }),
  /** @param {string} id @param {Record<string, unknown>} fields @returns {Promise<Endpoint>} */
  changeEndpoint: async (id, fields) => (await call('PATCH', endpoint(id), { body: fields })).endpoint,
  /** @param {string} id */
  removeEndpoint: (id) => call('DELETE', endpoint(id)),
  /** @param {string} id @returns {Promise<{endpoint: Endpoint, secret: string}>} */
  rotateEndpoint: (id) => call('POST', `${endpoint(id)}/rotate`),
  /** @param {string} id */
  testEndpoint: (id) => call('POST', `${endpoint(id)}/test`),
  /** @param {string} id @param {string} since RFC 3339 */
  replayEndpoint: (id, since) => call('POST', `${endpoint(id)}/replay`, { body: { since } }),
  /** @param {string} id @param {Params} params @returns {Promise<{deliveries: Delivery[], nextCursor?: Cursor}>} */
  deliveries: (id, params) => call('GET', `${endpoint(id)}/deliveries${query(params)}`),
  /** @param {string} id @param {number} which @returns {Promise<{delivery: Delivery, attempts: Attempt[]}>} */
  delivery: (id, which) => call('GET', `${endpoint(id)}/deliveries/${which}`),
  /** @param {string} id @param {number} which */
  resend: (id, which) => call('POST', `${endpoint(id)}/deliveries/${which}/resend`),

  /** @returns {Promise<ListenKey[]>} */
  listenKeys: async () => (await call('GET', '/admin/listen-keys')).listenKeys,
  /** @param {{origins: string[], display?: string, name?: string}} fields @returns {Promise<ListenKey>} */
  makeListenKey: async (fields) => (await call('POST', '/admin/listen-keys', { body: fields })).listenKey,
  /** @param {string} key */
  revokeListenKey: (key) => call('DELETE', `/admin/listen-keys/${part(key)}`),

  /** @param {Params} params @returns {Promise<{reports: Report[], nextCursor?: Cursor}>} */
  reports: (params) => call('GET', `/admin/reports${query(params)}`),
  /** @param {number} id @param {'dismiss' | 'mute'} how @returns {Promise<Report>} */
  closeReport: async (id, how) => (await call('POST', `/admin/reports/${id}/${how}`)).report,

  /** @param {Params} params @returns {Promise<{users: Person[], nextCursor?: Cursor}>} */
  people: (params) => call('GET', `/admin/users${query(params)}`),
  /** @param {number} id @param {{role?: string, banned?: boolean, muted?: boolean}} fields @returns {Promise<Person>} */
  changePerson: async (id, fields) => (await call('PATCH', `/admin/users/${id}`, { body: fields })).user,
  /** @param {number} id */
  logOutPerson: (id) => call('DELETE', `/admin/users/${id}/sessions`),

  /** @param {Params} params @returns {Promise<{entries: AuditEntry[], nextCursor?: Cursor}>} */
  audit: (params) => call('GET', `/admin/audit${query(params)}`),

  /** @returns {Promise<{alerts: AlertSettings, fixed: string[]}>} */
  alerts: () => call('GET', '/admin/alerts'),
  /** @param {Record<string, unknown>} fields @returns {Promise<{alerts: AlertSettings, fixed: string[]}>} */
  changeAlerts: (fields) => call('PATCH', '/admin/alerts', { body: fields }),

  /** @returns {Promise<import('./figures.js').Figures>} */
  figures: () => call('GET', '/admin/figures'),
};
