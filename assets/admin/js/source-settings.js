// @ts-check
/**
 * The settings of a source in a dialog.
 * Not for: its secret (pages/source.js).
 *
 * @import { Source } from './api.js'
 */

import { notice } from '../../js/states.js';
import { admin } from './api.js';
import { askForm } from './dialogs.js';
import { selectField, textField } from './fields.js';
import { t } from './i18n.js';

/**
 * @param {Source} source
 * @param {() => Promise<unknown>} changed
 */
export function changeSettings(source, changed) {
  const isPolled = source.kind === 'woocommerce';
  askForm({
    title: t('source.settings'), submit: t('save'),
    fields: [
      textField({ name: 'name', label: t('source.name'), value: source.name, required: true }),
      selectField({ name: 'buyer', label: t('source.buyer'), hint: t('source.buyer.hint'), value: source.buyer, options: [['masked', t('buyer.masked')], ['first-name', t('buyer.first-name')], ['none', t('buyer.none')]] }),
      textField({ name: 'goodsName', label: t('source.goods-name'), hint: t('source.goods-name.hint'), value: source.goodsName }),
      textField({ name: 'announceWithin', label: t('source.within'), hint: t('source.within.hint'), value: source.announceWithin, required: true }),
      ...isPolled ? [
        textField({ name: 'pollUrl', label: t('source.poll'), hint: t('source.poll.hint'), type: 'url', value: source.pollUrl, code: true }),
        textField({ name: 'pollKey', label: t('source.poll-key'), hint: t('source.poll-key.hint'), placeholder: 'ck_…:cs_…', code: true }),
      ] : [],
    ],
    onSubmit: async ({ goodsName, pollUrl, pollKey, ...others }) => {
      await admin.changeSource(source.sourceId, {
        ...others, goodsName: goodsName || null,
        ...isPolled ? { pollUrl: pollUrl || null, ...pollKey ? { pollKey } : {} } : {},
      });
      notice(t('saved'));
      await changed();
    },
  });
}
