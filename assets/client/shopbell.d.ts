/** Types of shopbell.js. What events and answers mean is in docs/contract.md of the shop's program. */

/** An offset in the shop's log: contiguous, only growing. */
export type Offset = number;
/** RFC 3339, UTC, milliseconds. */
export type Time = string;

export interface Hello {
  session: string;
  /** `null` for a guest, and for who comes with a listen key. */
  user: { nickname: string } | null;
  latest: Offset;
  epoch?: string;
  /** The server's clock. */
  time?: Time;
  /** The server says something at least this often, ms. */
  heartbeat?: number;
}

export interface Alert {
  id: Offset;
  nickname: string;
  goodsId: number;
  /** Of an order of several goods `<first> 외 N개의 상품`: write your own from the next two. */
  goodsName: string;
  firstGoodsName?: string;
  otherGoods?: number;
  quantity?: number;
  date: Time;
  orderedAt?: Time;
  /** The nickname is nobody's. */
  anonymous?: boolean;
  goodsUrl?: string;
  thumbnailUrl?: string;
}

/** What one `digest` event stands for: the alerts from `from` to `to`. */
export interface Digest {
  from: Offset;
  to: Offset;
  count: number;
  buyers: number;
  nickname: string;
  goodsId: number;
  goodsName: string;
  /** At most three, the most bought first. */
  goods: { goodsId: number; goodsName: string; count: number }[];
  date: Time;
}

export interface Goods {
  goodsId: number;
  sku: string | null;
  name: string;
  description: string;
  thumbnailUrl: string;
  url: string | null;
  category: string;
  price: number;
  currency: string;
  /** `null`: not counted. */
  stock: number | null;
  announce: boolean;
  listed: boolean;
  createdAt: Time;
  updatedAt: Time;
}

export type State = 'connecting' | 'open' | 'waiting' | 'stopped';

/** Events by name. Others come too, as `unknown`; a client ignores what it does not know. */
export interface ShopEvents {
  hello: Hello;
  /** History does not reach back to where this client stopped. */
  gap: { after: Offset; oldest: Offset };
  BUY_GOODS: Alert;
  BUY_DIGEST: Digest;
  BUY_CANCELED: { id: Offset; goodsId: number; date: Time; canceled: Offset };
  ORDER: { orderId: number; id: Offset | null; status: 'placed' | 'canceled'; own: true };
  goods: { action: 'create' | 'update' | 'delete'; goods: Goods };
  SAME_PAGE_VIEWER_COUNT: number;
  new_message: [message: string, count: number];
  welcome: [nickname: string, count: number];
  bye: [nickname: string, count: number];
  error: { event: string; code: string; message: string };
  /** `waiting`: will try again; `stopped`: will not, `code` says why (4001: log in first). */
  state: { state: State; code?: number };
}

export interface Options {
  /** An origin; the page's own by default. */
  server?: string;
  /** A log-in, sent as a subprotocol. Without one the browser's cookie counts. */
  token?: string | null;
  /** A listen key, which alone decides. */
  key?: string | null;
  /** Where an earlier connection stopped: `lastId` and `epoch` of that. */
  after?: Offset | null;
  epoch?: string | null;
  /** Alerts a second (1–100) beyond which they come as one `BUY_DIGEST`. */
  digest?: number | null;
}

declare class Connection extends EventTarget {
  constructor(options?: Options);
  readonly hello: Hello | null;
  readonly state: State;
  /** The newest offset heard; kept, it is what a later client resumes from. */
  lastId: Offset | null;
  epoch: string | null;
  open(): void;
  close(): void;
  /** The server's clock, epoch ms. */
  now(): number;
  /** Calls back with the payload of each event of a name. Returns what ends it. */
  on<Name extends keyof ShopEvents>(type: Name, listener: (payload: ShopEvents[Name]) => void): () => void;
  on(type: string, listener: (payload: unknown) => void): () => void;
}

export type Ack<Good = {}> = ({ ok: true } & Good) | { ok: false; code: string; message: string };

export interface Order {
  goodsId?: number;
  quantity?: number;
  items?: { goodsId: number; quantity: number }[];
  /** The same key orders once, however often it is sent. */
  idempotencyKey?: string;
}

export class Shopbell extends Connection {
  readonly api: Api;
  /** Sends if open; whether it was sent. */
  send(type: string, payload?: unknown): boolean;
  /** Sends and waits for the ack, 15 s at most. Rejects when the line is lost: whether it arrived is then unknown. */
  request(type: string, payload?: unknown): Promise<any>;
  buy(order: Order): Promise<Ack<{ orderId: number; id: Offset | null }>>;
}

/** One connection for all tabs of a browser: one leads, the others hear it through that. It says nothing. */
export class SharedShopbell extends Connection {}

export interface ApiOptions { server?: string; token?: string | null; key?: string | null }

export class Api {
  constructor(options?: ApiOptions);
  /** The body of a 2xx; `ApiError` for anything else. `path` is below `/api`. */
  request(method: string, path: string, more?: {
    query?: Record<string, unknown>; body?: unknown; headers?: Record<string, string>; signal?: AbortSignal;
  }): Promise<any>;
  get(path: '/goods', query?: { category?: string; q?: string; limit?: number; cursor?: string }): Promise<{ goods: Goods[]; nextCursor?: string }>;
  get(path: string, query?: Record<string, unknown>): Promise<any>;
  /** All items of a list, page by page: `for await (const goods of api.pages('/goods', 'goods'))`. */
  pages<Item = any>(path: string, field: string, query?: Record<string, unknown>): AsyncGenerator<Item, void>;
  /** Places an order once, tried again while the shop does not answer. */
  placeOrder(items: { goodsId: number; quantity: number }[], options?: {
    expectedTotal?: number; idempotencyKey?: string; tries?: number;
  }): Promise<{ order: any; id: Offset | null }>;
}

export class ApiError extends Error {
  readonly status: number;
  /** Stable, in snake case; `null` when something in between has answered. */
  readonly code: string | null;
  readonly errors: { field: string; code: string; message: string }[];
  /** Seconds. */
  readonly retryAfter: number | null;
  readonly problem: any;
}

/** Close codes that decide how to reconnect. */
export const CLOSE: { goingAway: 1001; policy: 1008; sessionEnded: 4001; tooSlow: 4008 };
/** Milliseconds to wait after a close, `null` for never: for who connects without this module. */
export function delayAfterClose(code: number, reason: string, attempt: number, random?: () => number, most?: number): number | null;
