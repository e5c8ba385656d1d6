// @ts-check
/**
 * `/404.html`: an address that leads nowhere.
 * Not for: goods that are gone (detail.js).
 */

import { show } from '../dom.js';
import { t } from '../i18n.js';
import { startPage } from '../shell.js';
import { emptyState, linkButton } from '../states.js';

startPage(t('missing.title'));
show(emptyState({ icon: 'search', title: t('missing.title'), text: t('missing.text'), action: linkButton('/', t('missing.home')), level: 'h1' }));
