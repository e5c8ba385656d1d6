// @ts-check
/**
 * `/detail.html?goodsId=N`: one goods, live: price, stock, how many people look at it, and a chat with them.
 * Not for: the order itself (order.js).
 */

import { api, ApiError } from '../api.js';
import { ChatPanel } from '../chat-panel.js';
import { forgetCheckoutKey } from '../checkout-key.js';
import { debounce, el, show } from '../dom.js';
import { QuantityStepper } from '../elements/quantity-stepper.js';
import { categoryName } from '../format.js';
import { t, tn } from '../i18n.js';
import { icon } from '../icons.js';
import { keepIntent } from '../intent.js';
import { loginRequired } from '../login-required.js';
import { formatPrice } from '../money.js';
import { picture } from '../picture.js';
import { onGoods, onViewers, realtime } from '../realtime.js';
import { session } from '../session.js';
import { startPage } from '../shell.js';
import { emptyState, errorMessage, errorState, linkButton, notice } from '../states.js';
import { stockLevel, stockLine } from '../stock.js';

/**
 * @import { Goods } from '../api.js'
 */

/** How old the number of orders of the last hour may be. */
const RECOUNT_MS = 5 * 60_000;
/** After an order of these goods was canceled. */
const LOOK_SOON_MS = 1_000;
/** When the orders of the last hour were counted, by the server's clock where it is known, epoch ms. */
let countedAt = 0;

startPage(t('goods.title'));
customElements.define('quantity-stepper', QuantityStepper);
const goodsId = Number(new URLSearchParams(location.search).get('goodsId'));
load();

async function load() {
  if (!Number.isInteger(goodsId) || goodsId < 1) {
    show(notFound());
    return;
  }
  show(placeholder());
  try {
    countedAt = realtime.now();
    const { goods, orderedLastHour } = await api.goodsPage(goodsId);
    draw(goods, orderedLastHour);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) show(notFound());
    else show(errorState(error, load));
  }
}

/**
 * @param {Goods} goods
 * @param {number} [ordered] how often they were ordered in the last hour; 0: nothing to say
 */
function draw(goods, ordered = 0) {
  document.title = `${goods.name} · ${t('site.name')}`;
  const price = el('p', { class: 'price price-large', data: { role: 'price' } });
  const stock = el('p', { class: 'detail-stock' });
  const quantity = /** @type {QuantityStepper} */ (el('quantity-stepper', { label: t('detail.quantity') }));
  const add = button('add-to-cart', 'quiet', 'detail.add');
  const buy = button('buy-now', 'primary', 'detail.buy');
  const problem = el('p', { class: 'form-error', role: 'alert' });
  const category = el('p', { class: 'goods-card-category' });
  const heading = el('h1', {});
  const photo = picture(goods, { eager: true, alt: goods.name });
  const popular = el('p', { class: 'live-pill is-popular', data: { role: 'ordered-last-hour' }, hidden: true });

  let shown = goods;
  const update = (/** @type {Goods} */ now) => {
    shown = now;
    heading.textContent = now.name;
    category.replaceChildren(el('a', { href: `/goods.html?category=${encodeURIComponent(now.category)}` }, categoryName(now.category)));
    price.textContent = formatPrice(now.price, now.currency);
    stock.replaceChildren(stockLine(now.stock));
    const soldOut = stockLevel(now.stock) === 'none';
    add.disabled = soldOut;
    buy.disabled = soldOut;
    if (now.stock === null) quantity.removeAttribute('max');
    else quantity.setAttribute('max', String(Math.max(1, now.stock)));
  };

  add.addEventListener('click', () => whileBusy(add, problem, async () => {
    const { user } = session;
    try {
      await session.addToCart(shown, quantity.value);
    } catch (error) {
      // The log-in has ended: it waits for the same member.
      if (user && error instanceof ApiError && error.status === 401) keepIntent({ goodsId, quantity: quantity.value, userId: user.userId });
      throw error;
    }
    notice(t('detail.added'), { href: '/cart.html', text: t('detail.see-cart') });
  }));
  buy.addEventListener('click', () => {
    forgetCheckoutKey();
    location.assign(`/order.html?goodsId=${goodsId}&quantity=${quantity.value}`);
  });
  onGoods((change) => {
    if (change.goods.goodsId !== goodsId) return;
    if (change.action === 'delete') show(notFound());
    else update(change.goods);
  });
  const look = () => refresh(update, (count) => showOrdered(popular, count));
  // What changed during a gap is unknown.
  realtime.addEventListener('gap', look);
  // Whether an order that was canceled was one of the last hour, only the shop knows. Not all who look at the goods ask at once.
  const lookSoon = debounce(look, LOOK_SOON_MS * (1 + Math.random()));
  /** @param {() => void} then */
  const ofTheseGoods = (then) => (/** @type {Event} */ event) => {
    const { goodsId: id, date } = /** @type {CustomEvent} */ (event).detail ?? {};
    // What was told late is in the number already.
    if (id === goodsId && Date.parse(date) > countedAt) then();
  };
  realtime.addEventListener('BUY_GOODS', ofTheseGoods(() => showOrdered(popular, Number(popular.dataset.count) + 1)));
  realtime.addEventListener('BUY_CANCELED', ofTheseGoods(lookSoon));
  // An hour ago moves on while a page is left open.
  setInterval(() => { if (!document.hidden) look(); }, RECOUNT_MS);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });

  update(goods);
  showOrdered(popular, ordered);
  show(
    el('a', { class: 'back-link', href: '/goods.html' }, icon('arrow'), t('detail.back')),
    el('article', { class: 'detail', data: { goodsId } },
      el('div', { class: 'detail-frame' }, photo),
      el('div', { class: 'detail-text' },
        category, heading, price, stock, el('div', { class: 'live-pills' }, viewerLine(), popular),
        el('div', { class: 'detail-buy' }, quantity, add, buy), problem,
        el('ul', { class: 'promises', role: 'list' },
          el('li', {}, icon('bell'), t('detail.promise.live')),
          el('li', {}, icon('box'), t('detail.promise.cancel')))),
      new ChatPanel(`goods-${goodsId}`).element));
}

/**
 * @param {(goods: Goods) => void} update
 * @param {(count: number) => void} tellOrdered
 */
async function refresh(update, tellOrdered) {
  try {
    countedAt = realtime.now();
    const { goods, orderedLastHour = 0 } = await api.goodsPage(goodsId);
    update(goods);
    tellOrdered(orderedLastHour);
  } catch { /* the next event updates it */ }
}

/**
 * @param {HTMLElement} line
 * @param {number} count
 */
function showOrdered(line, count) {
  line.hidden = !(count > 0);
  line.dataset.count = String(count);
  line.replaceChildren(icon('bag'), tn('detail.ordered', count));
}

function viewerLine() {
  const line = el('p', { class: 'live-pill', data: { role: 'viewer-count' } });
  onViewers((count) => {
    line.dataset.count = String(count);
    line.replaceChildren(icon('eye'), tn('detail.viewers', count));
  });
  return line;
}

/**
 * @param {string} action
 * @param {string} kind
 * @param {string} key of the label's message
 */
function button(action, kind, key) {
  return el('button', { type: 'button', class: `button button-${kind}`, data: { action } }, t(key));
}

/**
 * Runs what a button starts, once at a time, and shows its error.
 * @param {HTMLButtonElement} pressed
 * @param {HTMLElement} problem
 * @param {() => Promise<void>} work
 */
async function whileBusy(pressed, problem, work) {
  if (pressed.getAttribute('aria-disabled') === 'true') return;
  pressed.setAttribute('aria-disabled', 'true');
  problem.textContent = '';
  try {
    await session.ready;
    await work();
  } catch (error) {
    if (!loginRequired(error)) problem.textContent = errorMessage(error);
  } finally {
    pressed.removeAttribute('aria-disabled');
  }
}

function notFound() {
  return emptyState({ title: t('detail.gone.title'), text: t('detail.gone.text'), action: linkButton('/goods.html', t('detail.back')), level: 'h1' });
}

function placeholder() {
  const line = (kind = '') => el('span', { class: `skeleton skeleton-line ${kind}` });
  return el('div', { class: 'detail', aria: { busy: 'true', label: t('goods.loading') } },
    el('div', { class: 'detail-frame skeleton' }),
    el('div', { class: 'detail-text' }, line('short'), line('tall'), line('short'), line()));
}
