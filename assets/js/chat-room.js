// @ts-check
/**
 * A chat room as this page knows it: who is there, what was said, and saying something.
 * Not for: how it looks (chat-panel.js).
 *
 * Events: `change` (state, people), `reset` (the messages are others now), `message` (detail: the `Message` that was added).
 *
 * @typedef {object} Message
 * @property {string} nickname
 * @property {string} text
 * @property {string} at RFC 3339
 *
 * @typedef {'joining' | 'open' | 'login' | 'lost'} RoomState `login`: for members only; `lost`: the connection is being made again
 *
 * @typedef {EventTarget & {state: string, now: () => number, request: (type: string, payload: unknown) => Promise<any>}} Source
 */

/** More are not kept on a page that is left open. */
const MAX_MESSAGES = 200;
/** After the room could not be entered. */
const RETRY_MS = 5_000;
/** After someone came or went. */
const RECOUNT_MS = 1_000;
/** In larger rooms one more or less says nothing. */
const MAX_RECOUNTED = 50;
/** What the server calls guests before they say otherwise. */
export const GUEST = 'guest';

/** Why something was not done, by the server's code; `offline` when it did not answer. */
export class ChatRefusal extends Error {
  /**
   * @param {string} code
   * @param {string} [message] the server's sentence
   */
  constructor(code, message = '') {
    super(message);
    this.code = code;
  }
}

export class ChatRoom extends EventTarget {
  /** @type {RoomState} */ state = 'joining';
  /** Sessions in the room, this one included. */ count = 0;
  /** Of the first of them, how many each name has. @type {Map<string, number>} */ people = new Map();
  /** @type {Message[]} */ messages = [];
  /** What a guest is called; asked for with each connection. */ guestName = GUEST;
  #room; #source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #recount;

  /**
   * @param {string} room
   * @param {Source} source
   */
  constructor(room, source) {
    super();
    this.#room = room;
    this.#source = source;
    source.addEventListener('hello', () => this.#join());
    source.addEventListener('state', () => { if (source.state !== 'open' && this.state === 'open') this.#become('lost'); });
    source.addEventListener('new_message', (event) => this.#hear(/** @type {CustomEvent} */ (event).detail));
    source.addEventListener('welcome', (event) => this.#move(/** @type {CustomEvent} */ (event).detail, 1));
    source.addEventListener('bye', (event) => this.#move(/** @type {CustomEvent} */ (event).detail, -1));
    if (source.state === 'open') this.#join();
  }

  /**
   * Says something. The server tells it to the others only.
   * @param {string} text
   * @param {string} nickname whose page this is
   */
  async say(text, nickname) {
    const { count } = await this.#ask('new_message', [text, this.#room]);
    this.count = Number(count) || this.count;
    this.#add({ nickname, text, at: new Date(this.#source.now()).toISOString() });
  }

  /**
   * Shows a message to administrators.
   * @param {Message} message
   */
  async report({ nickname, text }) { await this.#ask('report_message', { room: this.#room, message: text, nickname }); }

  /**
   * A guest chooses a name; a member goes by the account's.
   * @param {string} nickname
   * @returns {Promise<string>} as the server took it
   */
  async callMe(nickname) {
    const ack = await this.#ask('nickname', nickname);
    const before = this.guestName;
    this.guestName = String(ack.nickname ?? nickname);
    // The server tells nobody; who comes in later sees it.
    if (this.state === 'open') {
      this.#countName(before, -1);
      this.#countName(this.guestName, 1);
      this.dispatchEvent(new Event('change'));
    }
    return this.guestName;
  }

  get name() { return this.#room; }

  /** Takes what someone said off this page. @param {string} nickname */
  forget(nickname) {
    this.messages = this.messages.filter((message) => message.nickname !== nickname);
    this.dispatchEvent(new Event('reset'));
  }

  async #join() {
    try {
      if (this.guestName !== GUEST) await this.#callMeAgain();
      const ack = await this.#ask('enter_room', this.#room);
      this.#takePeople(ack);
      this.messages = list(ack.messages).filter(isTold).map(({ nickname, message, date }) => ({ nickname, text: message, at: date }));
      this.#become('open');
      this.dispatchEvent(new Event('reset'));
    } catch (error) {
      if (!(error instanceof ChatRefusal)) throw error;
      this.#become(error.code === 'login_required' ? 'login' : 'lost');
      // With another connection it is tried at once.
      if (this.state === 'lost') setTimeout(() => { if (this.state === 'lost' && this.#source.state === 'open') this.#join(); }, RETRY_MS);
    }
  }

  /** Taken by a member meanwhile, it is a guest like others. Any other refusal is none of the name's, by which the room is entered later. */
  async #callMeAgain() {
    try {
      await this.callMe(this.guestName);
    } catch (error) {
      if (!(error instanceof ChatRefusal && error.code === 'nickname_taken')) throw error;
      this.guestName = GUEST;
    }
  }

  /**
   * @param {string} type
   * @param {unknown} payload
   */
  async #ask(type, payload) {
    const ack = await this.#source.request(type, payload).catch(() => { throw new ChatRefusal('offline'); });
    if (ack?.ok !== true) throw new ChatRefusal(String(ack?.code ?? ''), String(ack?.message ?? ''));
    return ack;
  }

  /**
   * `["kim: hello", 2]`: a nickname has no colon.
   * @param {unknown} args
   */
  #hear(args) {
    const [line, count] = list(args);
    const colon = typeof line === 'string' ? line.indexOf(': ') : -1;
    if (colon < 0 || this.state !== 'open') return;
    this.count = Number(count) || this.count;
    this.#add({ nickname: line.slice(0, colon), text: line.slice(colon + 2), at: new Date(this.#source.now()).toISOString() });
  }

  /** @param {Message} message */
  #add(message) {
    this.messages = [...this.messages, message].slice(-MAX_MESSAGES);
    this.dispatchEvent(new CustomEvent('message', { detail: message }));
  }

  /**
   * Someone comes or goes.
   * @param {unknown} args
   * @param {1 | -1} by
   */
  #move(args, by) {
    const [name, count] = list(args);
    if (typeof name !== 'string' || this.state !== 'open') return;
    this.count = Number(count) || 0;
    this.#countName(name, by);
    this.dispatchEvent(new Event('change'));
    this.#recountSoon();
  }

  /** Two who come at once may be told of each other in the wrong order: what is true is asked for when it is quiet. */
  #recountSoon() {
    clearTimeout(this.#recount);
    if (this.count > MAX_RECOUNTED) return;
    this.#recount = setTimeout(async () => {
      try {
        this.#takePeople(await this.#ask('enter_room', this.#room));
        this.dispatchEvent(new Event('change'));
      } catch { /* with the next connection */ }
    }, RECOUNT_MS * (1 + Math.random()));
  }

  /** @param {any} ack of `enter_room` */
  #takePeople({ count, people }) {
    this.count = Number(count) || 0;
    this.people = new Map();
    for (const name of list(people)) if (typeof name === 'string') this.#countName(name, 1);
  }

  /**
   * @param {string} name
   * @param {1 | -1} by
   */
  #countName(name, by) {
    const count = (this.people.get(name) ?? 0) + by;
    if (count > 0) this.people.set(name, count);
    else this.people.delete(name);
  }

  /** @param {RoomState} state */
  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event('change'));
  }
}

/** @param {unknown} value @returns {any[]} */
const list = (value) => Array.isArray(value) ? value : [];

/** @param {any} told */
const isTold = (told) => ['nickname', 'message', 'date'].every((key) => typeof told?.[key] === 'string');
