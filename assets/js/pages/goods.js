// @ts-check
/**
 * `/goods.html`: the whole catalog; `?category=`, `?q=`, `?minPrice=`, `?maxPrice=` and `?inStock=` narrow it, `?sort=` orders it.
 * Not for: the welcome (index.js).
 */

import { CatalogFilters } from '../catalog-filters.js';
import { Catalog } from '../catalog.js';
import { el, show } from '../dom.js';
import { t } from '../i18n.js';
import { startPage } from '../shell.js';

startPage(t('goods.title'));
show(el('h1', {}, t('goods.title')), el('h2', { class: 'visually-hidden' }, t('shop.all')), new Catalog({ filters: new CatalogFilters() }).element);
