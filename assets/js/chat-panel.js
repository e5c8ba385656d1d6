// @ts-check
/**
 * The chat beside goods: who is there, what was said, a line to write in, and a way to report what should not be there.
 * Not for: the room itself (chat-room.js).
 *
 * @import { Message } from './chat-room.js'
 */

import { api } from './api.js';
import { ChatRefusal, ChatRoom, GUEST } from './chat-room.js';
import { el } from './dom.js';
import { formatTime } from './format.js';
import { has, t, tn } from './i18n.js';
import { icon } from './icons.js';
import { goToLogin } from './login-required.js';
import { realtime } from './realtime.js';
import { session } from './session.js';
import { errorMessage, notice } from './states.js';

const MAX_LENGTH = 2000;
/** Names that are shown; the count says how many there are. */
const MAX_NAMES = 6;
/** As near to its end as this, the list follows what is said, px. */
const FOLLOW_PX = 64;

export class ChatPanel {
  #room;
  #people = el('p', { class: 'chat-people', data: { role: 'chat-people' } });
  #log = el('div', { class: 'chat-log', role: 'log', tabindex: 0, aria: { live: 'polite', label: t('chat.messages') } });
  #empty = el('p', { class: 'chat-empty' });
  #problem = el('p', { class: 'form-error', role: 'alert' });
  #input = el('input', {
    class: 'input chat-input', name: 'message', autocomplete: 'off', maxlength: MAX_LENGTH, enterkeyhint: 'send',
    placeholder: t('chat.placeholder'), aria: { label: t('chat.placeholder') },
  });
  #send = el('button', { type: 'submit', class: 'button button-primary chat-send', aria: { label: t('chat.send') } }, icon('arrow'));
  #form = el('form', { class: 'chat-form', id: 'chat-form', on: { submit: (event) => { event.preventDefault(); this.#say(); } } }, this.#input, this.#send);
  #nickname = el('input', { class: 'input chat-input', name: 'nickname', autocomplete: 'nickname', maxlength: 40, placeholder: t('chat.name'), aria: { label: t('chat.name') } });
  /** For guests, where they may chat. */
  #naming = el('form', { class: 'chat-form', hidden: true, on: { submit: (event) => { event.preventDefault(); this.#callMe(); } } },
    this.#nickname, el('button', { type: 'submit', class: 'button button-quiet' }, t('chat.name.set')));
  #login = el('div', { class: 'chat-login', hidden: true }, el('p', {}, t('chat.login')),
    el('button', { type: 'button', class: 'button button-quiet', on: { click: goToLogin } }, t('nav.login')));

  element = el('section', { class: 'card chat', 'aria-labelledby': 'chat-title' },
    el('div', { class: 'chat-head' }, el('h2', { id: 'chat-title' }, t('chat.title')), this.#people),
    this.#log, this.#empty, this.#problem, this.#naming, this.#form, this.#login);

  /** @param {string} room */
  constructor(room) {
    this.#room = new ChatRoom(room, realtime);
    this.#room.addEventListener('change', () => this.#drawState());
    session.addEventListener('user', () => this.#drawState());
    this.#room.addEventListener('reset', () => this.#drawAll());
    this.#room.addEventListener('message', (event) => this.#append(/** @type {CustomEvent} */ (event).detail));
    this.#drawState();
  }

  /** What one's own messages are under. */
  get #own() { return session.user?.nickname ?? this.#room.guestName; }

  async #callMe() {
    const wanted = this.#nickname.value.trim();
    this.#problem.textContent = '';
    if (wanted === '') return;
    try {
      const name = await this.#room.callMe(wanted);
      this.#nickname.value = name;
      notice(t('chat.named', { name }));
      this.#input.focus();
    } catch (error) {
      this.#problem.textContent = refusal(error);
    }
  }

  async #say() {
    const text = this.#input.value.trim();
    if (text === '' || this.#send.getAttribute('aria-disabled') === 'true') return;
    this.#problem.textContent = '';
    this.#send.setAttribute('aria-disabled', 'true');
    try {
      await this.#room.say(text, this.#own);
      this.#input.value = '';
    } catch (error) {
      // What was written stays there to be sent again.
      this.#problem.textContent = refusal(error);
    } finally {
      this.#send.removeAttribute('aria-disabled');
      this.#input.focus();
    }
  }

  #drawState() {
    const { state, count, people } = this.#room;
    const isOpen = state === 'open';
    this.#form.hidden = state === 'login';
    this.#naming.hidden = !isOpen || Boolean(session.user);
    this.#login.hidden = state !== 'login';
    this.#log.hidden = state === 'login';
    this.#people.hidden = state === 'login';
    const names = [...people.keys()].slice(0, MAX_NAMES);
    this.#people.dataset.count = String(isOpen ? count : 0);
    this.#people.replaceChildren(...isOpen ? [
      el('strong', {}, tn('chat.people', count)),
      ...names.map((name) => el('span', { class: 'chat-name', dir: 'auto' }, name)),
      people.size > MAX_NAMES ? '…' : '',
    ] : [state === 'lost' ? t('chat.lost') : '']);
    this.#drawEmpty();
  }

  #drawEmpty() {
    this.#empty.textContent = this.#room.state === 'open' && this.#room.messages.length === 0 ? t('chat.empty') : '';
  }

  #drawAll() {
    this.#log.replaceChildren(...this.#room.messages.map((message) => this.#line(message)));
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#drawState();
  }

  /** @param {Message} message */
  #append(message) {
    const follows = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < FOLLOW_PX;
    this.#log.append(this.#line(message));
    while (this.#log.childElementCount > this.#room.messages.length) this.#log.firstElementChild?.remove();
    if (follows || message.nickname === this.#own) this.#log.scrollTop = this.#log.scrollHeight;
    this.#drawState();
  }

  /** @param {Message} message */
  #line(message) {
    // Many guests go by the same name until they choose one.
    const isOwn = message.nickname === this.#own && (session.user !== null || this.#room.guestName !== GUEST);
    return el('div', { class: `chat-line${isOwn ? ' is-own' : ''}`, data: { role: 'chat-message' } },
      el('div', { class: 'chat-bubble' },
        el('p', { class: 'chat-by' }, el('strong', { dir: 'auto' }, message.nickname), ' ', el('time', { datetime: message.at }, formatTime(message.at))),
        el('p', { class: 'chat-text', dir: 'auto' }, message.text)),
      isOwn ? null : el('button', {
        type: 'button', class: 'icon-button chat-report', data: { action: 'report-message' },
        aria: { label: t('chat.report.of', { name: message.nickname }) }, on: { click: () => this.#confirmReport(message) },
      }, icon('flag')));
  }

  /** @param {Message} message */
  #confirmReport(message) {
    const problem = el('p', { class: 'form-error', role: 'alert' });
    const close = () => dialog.close();
    /**
     * @param {string} action
     * @param {string} text
     * @param {string} kind
     * @param {() => Promise<string>} work what is told when it is done
     */
    const button = (action, text, kind, work) => {
      const made = el('button', { type: 'button', class: `button button-${kind}`, data: { action } }, text);
      made.addEventListener('click', async () => {
        if (made.getAttribute('aria-disabled') === 'true') return;
        made.setAttribute('aria-disabled', 'true');
        try {
          const done = await work();
          close();
          notice(done);
        } catch (error) {
          problem.textContent = refusal(error);
        } finally {
          made.removeAttribute('aria-disabled');
        }
      });
      return made;
    };
    const isAdmin = session.user?.role === 'admin';
    const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': 'report-title' },
      el('h2', { id: 'report-title' }, t('chat.report.title')),
      el('blockquote', { class: 'chat-quote', dir: 'auto' }, el('strong', {}, message.nickname), ' ', message.text),
      el('p', {}, t('chat.report.text', { name: message.nickname })), problem,
      el('div', { class: 'buttons' },
        el('button', { type: 'button', class: 'button button-quiet', autofocus: true, on: { click: close } }, t('chat.report.no')),
        button('confirm-report', t('chat.report.yes'), isAdmin ? 'quiet' : 'danger-solid', async () => {
          await this.#room.report(message);
          return t('chat.report.done');
        }),
        isAdmin ? button('confirm-mute', t('chat.mute', { name: message.nickname }), 'danger-solid', () => this.#mute(message)) : null));
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  /**
   * For administrators: who said a message is found by its report.
   * @param {Message} message
   */
  async #mute(message) {
    await this.#room.report(message);
    const { reports } = await api.openReports();
    const report = reports.find(({ room, nickname, message: text }) => room === this.#room.name && nickname === message.nickname && text === message.text);
    if (!report) throw new ChatRefusal('not_found');
    await api.muteByReport(report.reportId);
    this.#room.forget(message.nickname);
    return t('chat.muted', { name: message.nickname });
  }
}

/** @param {unknown} error */
function refusal(error) {
  if (!(error instanceof ChatRefusal)) return errorMessage(error);
  const key = `chat.error.${error.code}`;
  return has(key) ? t(key) : error.message || t('error.unknown');
}
