// @ts-check
/**
 * The picture of goods: chosen, dropped or pasted, sent to the server at once, or an address. Whatever it is, it is shown.
 * Not for: what the server takes; it looks at the content.
 */

import { el } from '../../js/dom.js';
import { loginRequired } from '../../js/login-required.js';
import { picture } from '../../js/picture.js';
import { errorMessage } from '../../js/states.js';
import { admin, isMissing } from './api.js';
import { textField } from './fields.js';
import { roomIcon } from './icons.js';
import { t } from './i18n.js';

const TYPES = ['image/jpeg', 'image/png', 'image/webp'];
const MAX_BYTES = 5 * 1024 * 1024;

/** @param {string} url of the picture that there is */
export function pictureField(url) {
  const address = textField({ name: 'thumbnailUrl', label: t('goods.picture.address'), value: url, hint: t('goods.picture.hint'), code: true });
  const input = /** @type {HTMLInputElement} */ (address.querySelector('input'));
  const file = el('input', { type: 'file', id: 'picture-file', accept: TYPES.join(','), class: 'visually-hidden', data: { role: 'picture-file' } });
  const shown = el('div', { class: 'picture-shown' }, picture({ thumbnailUrl: url }, { eager: true }));
  const said = el('p', { class: 'field-error', role: 'alert' });
  const progress = el('p', { class: 'note', role: 'status' });
  const show = (/** @type {string} */ source) => shown.replaceChildren(picture({ thumbnailUrl: source }, { eager: true }));

  const take = async (/** @type {File | null | undefined} */ chosen) => {
    said.textContent = '';
    if (!chosen) return;
    if (!TYPES.includes(chosen.type)) said.textContent = t('goods.picture.type');
    else if (chosen.size > MAX_BYTES) said.textContent = t('goods.picture.size');
    if (said.textContent) return;
    const before = input.value;
    show(await dataUrl(chosen));
    progress.textContent = t('goods.picture.sending');
    try {
      const media = await admin.upload(chosen);
      input.value = media.url;
      show(media.url);
    } catch (error) {
      show(before);
      if (!loginRequired(error)) said.textContent = isMissing(error) ? t('goods.picture.unavailable') : errorMessage(error);
    } finally {
      progress.textContent = '';
      file.value = '';
    }
  };
  file.addEventListener('change', () => take(file.files?.[0]));
  input.addEventListener('change', () => show(input.value));
  const zone = el('label', { class: 'picture-zone', for: 'picture-file' }, shown, el('span', { class: 'picture-words' }, roomIcon('upload'), t('goods.picture.drop'), el('span', { class: 'sub' }, t('goods.picture.kinds'))));
  zone.addEventListener('dragover', (event) => {
    event.preventDefault();
    zone.classList.add('is-over');
  });
  zone.addEventListener('dragleave', () => zone.classList.remove('is-over'));
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    zone.classList.remove('is-over');
    take(event.dataTransfer?.files[0]);
  });
  return el('div', { class: 'picture-field' }, file, zone, progress, said, address);
}

/**
 * Pictures of `blob:` addresses are none of those that the page's policy lets in.
 * @param {File} file
 * @returns {Promise<string>}
 */
function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(String(reader.result)));
    reader.addEventListener('error', () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}
