// @ts-check
/**
 * What every page of the control room does first: the bar, the navigation, and whether the reader is an admin.
 * Not for: any one page's content (pages/), nor the document around it (../layout.html).
 */

import { el, main, show } from '../../js/dom.js';
import { membersOnly } from '../../js/login-required.js';
import { session } from '../../js/session.js';
import { emptyState, linkButton, showKeptNotice } from '../../js/states.js';
import { icon, roomIcon } from './icons.js';
import { LANGUAGES, lang, switchLanguage, t } from './i18n.js';
import { tellServerTime } from './time.js';
import { admin } from './api.js';

/** @typedef {'now' | 'orders' | 'goods' | 'sources' | 'endpoints' | 'keys' | 'alerts' | 'people' | 'reports' | 'audit'} Place */

/** @type {{title: string, links: [Place, string, () => SVGElement][]}[]} */
const NAVIGATION = [
  { title: '', links: [
    ['now', '/admin', () => roomIcon('pulse')],
    ['orders', '/admin/orders', () => roomIcon('receipt')],
    ['goods', '/admin/goods', () => icon('box')],
    ['alerts', '/admin/alerts', () => icon('bell')],
  ] },
  { title: 'nav.connections', links: [
    ['sources', '/admin/sources', () => roomIcon('incoming')],
    ['endpoints', '/admin/endpoints', () => roomIcon('outgoing')],
    ['keys', '/admin/listen-keys', () => roomIcon('key')],
  ] },
  { title: 'nav.house', links: [
    ['people', '/admin/people', () => roomIcon('people')],
    ['reports', '/admin/reports', () => icon('flag')],
    ['audit', '/admin/audit', () => roomIcon('book')],
  ] },
];

/**
 * Draws the frame, and says whether the page may go on: its reader is an admin.
 * @param {Place} place which entry of the navigation this page belongs to
 * @param {string} [title] when it is not that entry's
 * @returns {Promise<boolean>}
 */
export async function startPage(place, title = t(`nav.${place}`)) {
  document.title = `${title} · ${t('room.name')}`;
  drawBar();
  drawNavigation(place);
  showKeptNotice();
  return adminsOnly();
}

function drawBar() {
  const who = el('span', { class: 'room-who' });
  const showUser = () => { who.textContent = session.user?.nickname ?? ''; };
  session.addEventListener('user', showUser);
  showUser();
  document.querySelector('.room-top')?.replaceChildren(
    el('a', { class: 'skip-link', href: '#main' }, t('skip')),
    menuButton(),
    el('a', { class: 'wordmark', href: '/admin', aria: { label: `${t('site.name')}: ${t('room.name')}` } }, icon('bell'), el('span', {}, t('site.name'))),
    el('span', { class: 'room-place' }, t('room.name')),
    el('div', { class: 'room-tools' }, who, languageSwitch(),
      el('a', { class: 'room-tool room-shop', href: '/', aria: { label: t('room.shop') } }, roomIcon('external'), el('span', {}, t('room.shop')))));
}

/** On a narrow screen the navigation covers the page until a link is followed. */
function menuButton() {
  const nav = document.getElementById('room-nav');
  const button = el('button', { type: 'button', class: 'room-tool room-menu', aria: { expanded: 'false', controls: 'room-nav', label: t('room.menu') } }, roomIcon('menu'));
  const set = (/** @type {boolean} */ open) => {
    nav?.classList.toggle('is-open', open);
    button.setAttribute('aria-expanded', String(open));
    button.replaceChildren(roomIcon(open ? 'close' : 'menu'));
    // What is covered is not reached by the keyboard either.
    main().inert = open;
  };
  button.addEventListener('click', () => set(button.getAttribute('aria-expanded') !== 'true'));
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || button.getAttribute('aria-expanded') !== 'true') return;
    set(false);
    button.focus();
  });
  matchMedia('(min-width: 60rem)').addEventListener('change', () => set(false));
  return button;
}

/** @param {Place} place */
function drawNavigation(place) {
  const nav = document.getElementById('room-nav');
  nav?.setAttribute('aria-label', t('room.name'));
  nav?.replaceChildren(...NAVIGATION.flatMap(({ title, links }) => [
    title ? el('h2', {}, t(title)) : '',
    el('ul', { role: 'list' }, ...links.map(([name, href, draw]) => el('li', {},
      el('a', { href, 'aria-current': name === place ? 'page' : null }, draw(), t(`nav.${name}`))))),
  ]));
}

function languageSwitch() {
  const other = LANGUAGES.find(({ code }) => code !== lang) ?? LANGUAGES[0];
  return el('button', {
    type: 'button', class: 'room-tool room-language', lang: other.code, data: { action: 'switch-language' },
    aria: { label: `${t('nav.language')}: ${other.name}` }, on: { click: () => switchLanguage(other.code) },
  }, icon('globe'), el('span', {}, other.name));
}

/** The server decides with every request; this only says it in words. */
async function adminsOnly() {
  if (!await membersOnly() || !session.user) return false;
  if (session.user.role !== 'admin') {
    show(emptyState({ icon: 'user', level: 'h1', title: t('room.admins.title'), text: t('room.admins.text', { nickname: session.user.nickname }), action: linkButton('/', t('room.shop')) }));
    return false;
  }
  const shop = await admin.shop();
  tellServerTime(shop?.time);
  return true;
}
