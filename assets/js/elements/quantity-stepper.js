/**
 * <quantity-stepper>: minus, a number, plus. Fires `change` with the new value.
 * Not for: checking stock; the server does, `max` only spares a refusal.
 *
 * Attributes: `value`, `max` (999), `label`. Property: `value` (a whole number from 1 to max).
 */

import { el } from '../dom.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { MOST, wholeNumber } from '../quantity.js';

export class QuantityStepper extends HTMLElement {
  static observedAttributes = ['max'];

  #value = 1;
  /** @type {HTMLInputElement | null} */ #input = null;

  connectedCallback() {
    this.#value = this.#clamp(Number(this.getAttribute('value') ?? 1));
    const label = this.getAttribute('label') ?? t('detail.quantity');
    this.#input = /** @type {any} */ (el('input', {
      type: 'text', inputmode: 'numeric', autocomplete: 'off', maxlength: 12, name: 'quantity', aria: { label },
      on: { change: () => this.#typed(), keydown: (event) => this.#onKey(event), focus: () => this.#input?.select() },
    }));
    this.replaceChildren(
      el('button', { type: 'button', aria: { label: t('detail.less') }, on: { click: () => this.#set(this.#value - 1) } }, icon('minus')),
      /** @type {any} */ (this.#input),
      el('button', { type: 'button', aria: { label: t('detail.more') }, on: { click: () => this.#set(this.#value + 1) } }, icon('plus')));
    this.#draw();
  }

  disconnectedCallback() {
    this.#input = null;
    this.replaceChildren();
  }

  attributeChangedCallback() { if (this.#input) { this.#value = this.#clamp(this.#value); this.#draw(); } }

  get value() { return this.#value; }

  set value(value) {
    this.#value = this.#clamp(value);
    this.setAttribute('value', String(this.#value));
    this.#draw();
  }

  get #max() {
    const max = Number(this.getAttribute('max') ?? MOST);
    return Math.max(1, Math.min(MOST, Number.isFinite(max) ? max : MOST));
  }

  #clamp(value) { return Math.max(1, Math.min(this.#max, Math.floor(value) || 1)); }

  #set(value) {
    const before = this.#value;
    this.value = value;
    if (this.#value !== before) this.dispatchEvent(new Event('change', { bubbles: true }));
  }

  /** What is no whole number leaves the value as it was; what is too small or too large becomes the nearest. */
  #typed() {
    const value = wholeNumber(this.#input?.value);
    if (value === null) this.#draw();
    else this.#set(value);
  }

  #onKey(event) {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.#set(this.#value + step);
  }

  #draw() {
    if (!this.#input) return;
    this.#input.value = String(this.#value);
    const [less, , more] = this.children;
    /** @type {HTMLButtonElement} */ (less).disabled = this.#value <= 1;
    /** @type {HTMLButtonElement} */ (more).disabled = this.#value >= this.#max;
  }
}
