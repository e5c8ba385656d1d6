// @ts-check
/**
 * `/admin/sources`: the shops that tell of their orders, and a new one step by step.
 * Not for: what one of them said (source.js).
 *
 * @import { Source } from '../api.js'
 */

import { el, show } from '../../../js/dom.js';
import { form } from '../../../js/forms.js';
import { emptyState } from '../../../js/states.js';
import { admin } from '../api.js';
import { sourceState } from '../diagnosis.js';
import { selectField, textField } from '../fields.js';
import { guide, KINDS } from '../guides.js';
import { List } from '../list.js';
import { badge, callout, linkTo, pageHead, panel } from '../pieces.js';
import { sendTestOrder } from '../test-order.js';
import { startPage } from '../shell.js';
import { timeTag } from '../time.js';
import { t } from '../i18n.js';

const PLACEHOLDER_BYTES = 24;
/** Kinds whose secret the other shop has made before. */
const BRINGS_SECRET = ['shopify'];

/** @type {List<Source>} */
const list = new List({
  caption: t('nav.sources'), key: ({ sourceId }) => sourceId,
  columns: [
    { label: t('source.name'), kind: 'what', cell: (source) => el('a', { class: 'row-link', href: `/admin/source?sourceId=${source.sourceId}` }, source.name) },
    { label: t('source.kind'), cell: (source) => badge(t(`kind.${source.kind}`)) },
    { label: t('state'), kind: 'corner', cell: sourceState },
    { label: t('source.buyer'), cell: (source) => t(`buyer.${source.buyer}`) },
    { label: t('made'), kind: 'tight', cell: (source) => timeTag(source.createdAt) },
  ],
  read: async () => ({ rows: await admin.sources() }),
  empty: () => emptyState({ icon: 'bag', title: t('sources.none.title'), text: t('sources.none.text'), action: linkTo('/admin/sources?new', t('sources.make'), { kind: 'primary', action: 'make-source' }) }),
});

if (await startPage('sources')) {
  const params = new URLSearchParams(location.search);
  const kind = KINDS.find((known) => known === params.get('kind'));
  if (kind) showForm(kind);
  else if (params.has('new')) showKinds();
  else {
    show(pageHead({ title: t('nav.sources'), lead: t('sources.lead'), actions: [linkTo('/admin/sources?new', t('sources.make'), { kind: 'primary', action: 'make-source' })] }), list.element);
    await list.load();
  }
}

function showKinds() {
  show(pageHead({ title: t('sources.make'), lead: t('sources.which'), back: ['/admin/sources', t('nav.sources')] }),
    el('ul', { class: 'choices', role: 'list' }, ...KINDS.map((kind) => el('li', {}, el('a', { class: 'panel choice', href: `/admin/sources?kind=${kind}`, data: { kind } },
      el('strong', {}, t(`kind.${kind}`)), el('span', { class: 'note' }, t(`kind.${kind}.text`)))))));
}

/** @param {Source['kind']} kind */
function showForm(kind) {
  show(pageHead({ title: t('sources.make.kind', { kind: t(`kind.${kind}`) }), back: ['/admin/sources?new', t('sources.make')] }),
    el('section', { class: 'panel narrow-panel' }, form({ id: 'source-form', submit: t('sources.make'), onSubmit: (values) => make(kind, values) },
      textField({ name: 'name', label: t('source.name'), hint: t('source.name.hint'), value: t(`kind.${kind}`), required: true }),
      selectField({ name: 'buyer', label: t('source.buyer'), hint: t('source.buyer.hint'), value: 'masked', options: [['masked', t('buyer.masked')], ['first-name', t('buyer.first-name')], ['none', t('buyer.none')]] }),
      ...BRINGS_SECRET.includes(kind) ? [textField({ name: 'secret', label: t('source.secret'), hint: t(`source.secret.${kind}`), required: true, code: true })] : [],
      ...kind === 'stripe' ? [textField({ name: 'goodsName', label: t('source.goods-name'), hint: t('source.goods-name.hint') })] : [])));
}

/**
 * @param {Source['kind']} kind
 * @param {Record<string, string>} values
 */
async function make(kind, values) {
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
  const { source, secret } = await admin.makeSource({ kind, ...given, ...kind === 'stripe' ? { secret: placeholder() } : {} });
  // The form is no place to come back to.
  history.replaceState(null, '', `/admin/source?sourceId=${source.sourceId}`);
  const more = secret && kind === 'standard' ? [sendTestOrder(source, secret)] : [];
  show(
    pageHead({ title: t('sources.made', { name: source.name }), back: ['/admin/sources', t('nav.sources')] }),
    secret ? callout('warn', t('source.secret.once')) : null,
    panel(t('guide.title'), guide(source, secret ?? null, more)),
    el('p', {}, linkTo(`/admin/source?sourceId=${source.sourceId}`, t('sources.made.go'), { kind: 'primary', action: 'open-source' })));
  scrollTo(0, 0);
  document.querySelector('h1')?.focus();
}

/**
 * A secret until there is Stripe's own, which it makes only when it knows the address that is made here. Nobody knows this one,
 * so nobody can sign with it meanwhile.
 */
function placeholder() {
  const bytes = crypto.getRandomValues(new Uint8Array(PLACEHOLDER_BYTES));
  return `whsec_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
