// @ts-check
/**
 * `/`: the shop front: a welcome, then the goods.
 * Not for: the plain list (goods.js).
 */

import { Catalog } from '../catalog.js';
import { el, show } from '../dom.js';
import { t, tn } from '../i18n.js';
import { icon } from '../icons.js';
import { onViewers } from '../realtime.js';
import { startPage } from '../shell.js';
import { linkButton } from '../states.js';

startPage('');

const viewers = el('p', { class: 'live-pill', data: { role: 'viewer-count' }, hidden: true });

show(
  el('section', { class: 'hero' },
    el('div', { class: 'hero-words' },
      viewers,
      el('h1', {}, t('hero.title')),
      el('p', {}, t('hero.text')),
      linkButton('/goods.html', t('hero.cta'), 'brass')),
    el('img', { class: 'hero-picture', src: '/images/hero.svg', alt: '', width: 640, height: 480 })),
  el('section', { class: 'section', 'aria-labelledby': 'new' },
    el('h2', { id: 'new' }, t('shop.new')),
    new Catalog().element),
);

onViewers((count) => {
  // Not worth showing to someone who is alone here.
  viewers.hidden = count < 2;
  viewers.dataset.count = String(count);
  viewers.replaceChildren(icon('eye'), tn('hero.viewers', count));
});
