// @ts-check
/**
 * A search and choices above a list. They stand in the address, so that a list can be kept, shared and come back to.
 * Not for: the list (list.js).
 *
 * @typedef {object} Choice
 * @property {string} name of the parameter
 * @property {string} label
 * @property {[string, string][]} [options] values with their names, the first one for "all"
 * @property {'date'} [type] instead of options
 */

import { debounce, el } from '../../js/dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';

const TYPING_MS = 250;

/**
 * @param {{search?: string, choices?: Choice[], onChange: () => void}} options `search`: what can be searched for
 * @returns {{element: HTMLFormElement, values: () => Record<string, string>}}
 */
export function filters({ search, choices = [], onChange }) {
  const params = new URLSearchParams(location.search);
  const element = el('form', { class: 'filters', role: 'search' },
    search ? el('div', { class: 'search' }, icon('search'), el('input', {
      type: 'search', name: 'q', class: 'input', placeholder: search, value: params.get('q'), autocomplete: 'off', aria: { label: search },
    })) : null,
    ...choices.map((choice) => draw(choice, params.get(choice.name) ?? '')));
  const values = () => /** @type {Record<string, string>} */ (Object.fromEntries([...new FormData(element)]
    .map(([name, value]) => [name, String(value).trim()]).filter(([, value]) => value !== '')));
  let before = JSON.stringify(values());
  const changed = () => {
    const now = values();
    if (JSON.stringify(now) === before) return;
    before = JSON.stringify(now);
    const others = [...new URLSearchParams(location.search)].filter(([name]) => !element.elements.namedItem(name));
    const query = new URLSearchParams([...others, ...Object.entries(now)]).toString();
    history.replaceState(null, '', location.pathname + (query ? `?${query}` : ''));
    onChange();
  };
  element.addEventListener('input', debounce(changed, TYPING_MS));
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    changed();
  });
  return { element, values };
}

/**
 * @param {Choice} choice
 * @param {string} value
 */
function draw({ name, label, options, type }, value) {
  const control = options
    ? el('select', { name, class: 'input' }, ...options.map(([of, text]) => el('option', { value: of, selected: of === value }, text)))
    : el('input', { name, type, class: 'input', value });
  return el('label', { class: 'filter' }, label, control);
}

/** What stands for "nothing fits". */
export const nothingFits = () => el('div', { class: 'state' }, el('p', {}, t('filters.none')));
