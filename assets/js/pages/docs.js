// @ts-check
/**
 * `/docs`: the contract, read from `/api/openapi.json` and `/api/asyncapi.json`: routes by group with a form to try each, and
 * events. Every route and event has an address of its own.
 * Not for: what the documents say (docs/contract.js), nor how a part looks (docs/route-view.js, docs/event-view.js).
 */

import { el, debounce, show } from '../dom.js';
import { t, tn } from '../i18n.js';
import { startPage } from '../shell.js';
import { errorState } from '../states.js';
import { eventsOf, groupsOf, matches, routesOf } from '../docs/contract.js';
import { eventView } from '../docs/event-view.js';
import { method, routeView } from '../docs/route-view.js';
import { whoView } from '../docs/who.js';
import { paragraphs } from '../docs/words.js';

/** @import { Event, Json, Route } from '../docs/contract.js' */

/** Puts off a search while someone types, in milliseconds. */
const TYPING = 120;

async function load() {
  try {
    const [openapi, asyncapi] = await Promise.all(['/api/openapi.json', '/api/asyncapi.json'].map(read));
    draw(openapi, asyncapi);
  } catch (error) {
    show(errorState(error, load));
  }
}

/**
 * @param {string} path
 * @returns {Promise<Json>}
 */
async function read(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/**
 * @param {Json} openapi
 * @param {Json} asyncapi
 */
function draw(openapi, asyncapi) {
  const [routes, events] = [routesOf(openapi), eventsOf(asyncapi)];
  const search = el('input', { id: 'docs-search', class: 'input', type: 'search', autocomplete: 'off', spellcheck: 'false', placeholder: t('docs.search.hint') });
  const found = el('p', { class: 'docs-found', role: 'status' });
  const nav = el('nav', { class: 'docs-nav', aria: { label: t('docs.nav') } });
  const content = el('div', { class: 'docs-content' });
  for (const group of groupsOf(openapi)) {
    const own = routes.filter((route) => route.group === group.name);
    if (own.length) addGroup(nav, content, { id: `group-${slug(group.name)}`, title: group.name, lang: 'en', about: group.description },
      own.map((route) => [route, routeView(openapi, route), navLink(route.id, method(route.method), shortPath(route.path))]));
  }
  for (const direction of ['told', 'asked']) {
    const own = events.filter((event) => event.direction === direction);
    addGroup(nav, content, { id: `events-${direction}`, title: t(`docs.${direction}`), about: '' },
      own.map((event) => [event, eventView(asyncapi, event), navLink(event.id, event.name)]));
  }
  search.addEventListener('input', debounce(() => filter(content, nav, search.value.trim(), found), TYPING));
  show(el('div', { class: 'docs' },
    el('header', { class: 'docs-head' }, el('h1', {}, t('docs.title')),
      ...paragraphs(openapi.info.description, 'docs-lead'),
      el('p', { class: 'docs-raw' }, el('a', { href: '/api/openapi.json' }, 'OpenAPI 3.1'), ' · ', el('a', { href: '/api/asyncapi.json' }, 'AsyncAPI 3.0'),
        ' · ', el('span', {}, `${openapi.info.title} ${openapi.info.version}`))),
    el('aside', { class: 'docs-side' },
      el('div', { class: 'field', role: 'search' }, el('label', { for: 'docs-search' }, t('docs.search')), search, found),
      el('details', { class: 'docs-nav-box', open: matchMedia('(min-width: 62rem)').matches }, el('summary', {}, t('docs.nav')), nav)),
    el('div', { class: 'docs-main' }, whoView(), content)));
  addEventListener('hashchange', open);
  open();
}

/**
 * @param {HTMLElement} nav
 * @param {HTMLElement} content
 * @param {{id: string, title: string, about: string, lang?: string}} group
 * @param {[Route | Event, HTMLElement, HTMLElement][]} items the thing, its view, its link
 */
function addGroup(nav, content, { id, title, about, lang }, items) {
  content.append(el('section', { class: 'docs-group', id, 'aria-labelledby': `${id}-title` },
    el('h2', { id: `${id}-title`, lang }, title), ...paragraphs(about, 'docs-about'), ...items.map(([, view]) => view)));
  nav.append(el('div', { class: 'docs-nav-group' }, el('h2', { lang }, title), el('ul', { role: 'list' }, ...items.map(([, , link]) => link))));
  for (const [thing, view, link] of items) searched.set(view, { thing, link });
}

/** What a search hides. @type {Map<HTMLElement, {thing: Route | Event, link: HTMLElement}>} */
const searched = new Map();

/**
 * @param {HTMLElement} content
 * @param {HTMLElement} nav
 * @param {string} text
 * @param {HTMLElement} found
 */
function filter(content, nav, text, found) {
  let count = 0;
  for (const [view, { thing, link }] of searched) {
    const isFound = matches(thing, text);
    view.hidden = link.hidden = !isFound;
    count += Number(isFound);
  }
  for (const group of content.children) hideEmpty(/** @type {HTMLElement} */ (group), '.docs-item');
  for (const group of nav.children) hideEmpty(/** @type {HTMLElement} */ (group), 'li');
  found.textContent = text ? tn('docs.found', count) : '';
}

/**
 * @param {HTMLElement} group
 * @param {string} items
 */
function hideEmpty(group, items) {
  group.hidden = !group.querySelector(`${items}:not([hidden])`);
}

/**
 * @param {string} id
 * @param {...(Node | string)} words
 */
const navLink = (id, ...words) => el('li', {}, el('a', { href: `#${id}` }, ...words));

/** @param {string} path */
const shortPath = (path) => path.replace(/^\/api\/(admin\/)?/, '/');

/** @param {string} text */
const slug = (text) => text.replaceAll(/\W+/g, '-');

/** Opens what the address names. */
function open() {
  let id = location.hash.slice(1);
  try { id = decodeURIComponent(id); } catch { /* names nothing */ }
  const named = document.getElementById(id);
  if (!(named instanceof HTMLDetailsElement)) return;
  // A search may have hidden it, or all of its group.
  for (const hidden of [named, named.closest('.docs-group')]) hidden?.removeAttribute('hidden');
  named.open = true;
  named.scrollIntoView({ block: 'start' });
  named.querySelector('summary')?.focus({ preventScroll: true });
}

startPage(t('docs.title'));
await load();
