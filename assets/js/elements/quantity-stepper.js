// @ts-check
/**
 * <quantity-stepper>: minus, a number, plus. Fires `change` with the new value.
 * Not for: checking stock; the server does, `max` only avoids a refusal. Registered by the pages that have one.
 *
 * Attributes: `value`, `max` (999), `label`. Property: `value` (a whole number from 1 to max).
 */

import { MAX_QUANTITY } from '../api.js';
import { el } from '../dom.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { parseQuantity } from '../quantity.js';

export class QuantityStepper extends HTMLElement {
  static observedAttributes = ['max'];

  #value = 1;
  /** @type {HTMLInputElement | null} */ #input = null;

  connectedCallback() {
    this.#value = this.#clamp(Number(this.getAttribute('value') ?? 1));
    const label = this.getAttribute('label') ?? t('detail.quantity');
    const input = el('input', {
      type: 'text', inputmode: 'numeric', autocomplete: 'off', maxlength: 12, name: 'quantity', aria: { label },
      on: { change: () => this.#setTyped(input.value), keydown: (event) => this.#onKey(event), focus: () => input.select() },
    });
    this.#input = input;
    this.replaceChildren(
      el('button', { type: 'button', aria: { label: t('detail.less') }, on: { click: () => this.#set(this.#value - 1) } }, icon('minus')),
      input,
      el('button', { type: 'button', aria: { label: t('detail.more') }, on: { click: () => this.#set(this.#value + 1) } }, icon('plus')));
    this.#draw();
  }

  disconnectedCallback() {
    this.#input = null;
    this.replaceChildren();
  }

  attributeChangedCallback() {
    if (!this.#input) return;
    this.#value = this.#clamp(this.#value);
    this.#draw();
  }

  /** A whole number from 1 to max. */
  get value() { return this.#value; }

  set value(value) {
    this.#value = this.#clamp(value);
    this.setAttribute('value', String(this.#value));
    this.#draw();
  }

  get #max() {
    const max = Number(this.getAttribute('max') ?? MAX_QUANTITY);
    return Math.max(1, Math.min(MAX_QUANTITY, Number.isFinite(max) ? max : MAX_QUANTITY));
  }

  /** @param {number} value */
  #clamp(value) { return Math.max(1, Math.min(this.#max, Math.floor(value) || 1)); }

  /**
   * By the reader: fires `change`.
   * @param {number} value
   */
  #set(value) {
    const before = this.#value;
    this.value = value;
    if (this.#value !== before) this.dispatchEvent(new Event('change', { bubbles: true }));
  }

  /**
   * What is no whole number leaves the value as it was; what is too small or too large becomes the nearest.
   * @param {string} text
   */
  #setTyped(text) {
    const value = parseQuantity(text);
    if (value === null) this.#draw();
    else this.#set(value);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const step = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    this.#set(this.#value + step);
  }

  #draw() {
    if (!this.#input) return;
    this.#input.value = String(this.#value);
    const [less, , more] = this.children;
    // One that is pressed keeps the focus at the last step, which `disabled` would take away.
    less.ariaDisabled = String(this.#value <= 1);
    more.ariaDisabled = String(this.#value >= this.#max);
  }
}
