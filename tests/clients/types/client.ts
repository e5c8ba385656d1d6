/** What a page in TypeScript may write: checked by `npm run types`, never run. */

import { ApiError, SharedShopbell, Shopbell, type Alert } from '../../../assets/client/shopbell.js';
import type { ShopbellToasts } from '../../../assets/toast.js';

const shop = new Shopbell({ server: 'https://shop.example', token: 'x', digest: 5 });
const end: () => void = shop.on('BUY_GOODS', (alert: Alert) => { alert.nickname.toUpperCase(); });
shop.on('BUY_DIGEST', ({ buyers, goods }) => { (buyers + goods[0].count).toFixed(); });
shop.on('state', ({ state }) => { if (state === 'stopped') end(); });
shop.on('another', (payload) => { String(payload); });
// @ts-expect-error: a canceled alert has no nickname.
shop.on('BUY_CANCELED', ({ nickname }) => nickname);
shop.buy({ goodsId: 1, quantity: 2 }).then((ack) => ack.ok ? ack.orderId.toFixed() : ack.code.toUpperCase());
shop.api.get('/goods', { limit: 3 }).then(({ goods }) => goods[0].price.toFixed()).catch((error: unknown) => {
  if (error instanceof ApiError) error.code?.toUpperCase();
});
// @ts-expect-error: it only hears.
new SharedShopbell({ key: 'lk_0' }).send('BUY');

const toasts: ShopbellToasts = document.createElement('shopbell-toasts');
toasts.source = shop;
toasts.addEventListener('shopbell:toast', (event) => { if (event.detail.own) event.preventDefault(); });
toasts.mute(7);
