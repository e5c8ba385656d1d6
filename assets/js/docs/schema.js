// @ts-check
/**
 * What a JSON Schema (2020-12, as the contract's documents use it) says: a type in a few words, its fields, an example.
 * Not for: checking values against it.
 */

import { nameOf, resolve } from './contract.js';

/** @import { Json } from './contract.js' */

/**
 * A field of an object, or a part of something else.
 * @typedef {object} Field
 * @property {string} name
 * @property {boolean} required
 * @property {Json} schema as it stands, perhaps a reference
 */

/** How deep examples go; schemas that refer to themselves would have no end. */
const MAX_DEPTH = 6;

/**
 * A schema without references and with all parts of `allOf` in one.
 * @param {Json} document
 * @param {Json} schema
 * @returns {Json}
 */
export function merged(document, schema) {
  const own = resolve(document, schema);
  if (!Array.isArray(own.allOf)) return own;
  const { allOf, ...rest } = own;
  return [...allOf.map((part) => merged(document, part)), rest].reduce((all, part) => ({
    ...all, ...part,
    properties: joined(all.properties, part.properties),
    required: [...(all.required ?? []), ...(part.required ?? [])],
  }), {});
}

/**
 * Fields of both; of one that is in both, what the second says more closely.
 * @param {Json} [first]
 * @param {Json} [second]
 */
function joined(first = {}, second = {}) {
  const all = { ...first };
  for (const [name, schema] of Object.entries(second)) all[name] = { ...all[name], ...schema };
  return all;
}

/**
 * The fields of an object, those of a list's entries when it is a list of objects.
 * @param {Json} document
 * @param {Json} schema
 * @returns {Field[]}
 */
export function fieldsOf(document, schema) {
  const { properties, required = [], items, prefixItems } = unwrapped(document, schema);
  if (properties) return Object.entries(properties).map(([name, one]) => ({ name, required: required.includes(name), schema: one }));
  if (Array.isArray(prefixItems)) return prefixItems.map((one, place) => ({ name: String(place + 1), required: true, schema: one }));
  return items ? fieldsOf(document, items) : [];
}

/**
 * Without what says only that it may be `null`.
 * @param {Json} document
 * @param {Json} schema
 */
function unwrapped(document, schema) {
  const own = merged(document, schema);
  const others = alternatives(own).filter((one) => one.type !== 'null');
  return others.length === 1 ? merged(document, others[0]) : own;
}

/**
 * @param {Json} schema
 * @returns {Json[]}
 */
export const alternatives = ({ oneOf, anyOf }) => oneOf ?? anyOf ?? [];

/**
 * The alternatives that a reader has to tell apart.
 * @param {Json} document
 * @param {Json} schema
 * @returns {Json[]}
 */
export function choices(document, schema) {
  const others = alternatives(merged(document, schema)).filter((one) => one.type !== 'null');
  return others.length > 1 ? others : [];
}

/**
 * A type in a few words: `integer`, `list of Goods`, `"placed" or "canceled"`, `string or null`.
 * @param {Json} document
 * @param {Json} schema
 * @param {(key: string, params?: Record<string, string>) => string} t
 * @returns {string}
 */
export function typeOf(document, schema, t) {
  if (schema?.$ref) return nameOf(schema);
  const own = merged(document, schema);
  if (own.const !== undefined) return JSON.stringify(own.const);
  if (Array.isArray(own.enum)) return own.enum.map((value) => JSON.stringify(value)).join(` ${t('docs.or')} `);
  const others = alternatives(own);
  if (others.length) return others.map((one) => typeOf(document, one, t)).join(` ${t('docs.or')} `);
  if (Array.isArray(own.prefixItems)) return t('docs.type.several', { count: String(own.prefixItems.length) });
  const kinds = [own.type ?? (own.properties ? 'object' : 'any')].flat();
  return kinds.map((kind) => kind === 'array' ? t('docs.type.list', { of: typeOf(document, own.items ?? {}, t) }) : kind).join(` ${t('docs.or')} `);
}

/**
 * What a value must hold to: `1 … 999`, `≥ 8`, a pattern.
 * @param {Json} document
 * @param {Json} schema
 * @returns {string[]}
 */
export function limitsOf(document, schema) {
  const own = unwrapped(document, schema);
  const range = (/** @type {number | undefined} */ least, /** @type {number | undefined} */ most, /** @type {string} */ unit) => {
    if (least === undefined && (most === undefined || most >= Number.MAX_SAFE_INTEGER)) return [];
    if (most === undefined || most >= Number.MAX_SAFE_INTEGER) return [`≥ ${least}${unit}`];
    return [least === undefined ? `≤ ${most}${unit}` : `${least} … ${most}${unit}`];
  };
  return [
    ...range(own.minimum, own.maximum, ''),
    ...range(own.minLength, own.maxLength, ' ch'),
    ...range(own.minItems, own.maxItems, ' ×'),
    ...(own.format ? [own.format] : []),
    ...(own.pattern ? [own.pattern] : []),
  ];
}

/**
 * A value that the schema allows, from its examples where it has them.
 * @param {Json} document
 * @param {Json} schema
 * @param {number} [depth]
 * @returns {any}
 */
export function exampleOf(document, schema, depth = 0) {
  const own = merged(document, schema);
  if (own.examples?.length) return own.examples[0];
  if (own.example !== undefined) return own.example;
  if (own.const !== undefined) return own.const;
  if (own.enum?.length) return own.enum[0];
  if (depth > MAX_DEPTH) return null;
  const other = alternatives(own).find((one) => one.type !== 'null');
  if (other) return exampleOf(document, other, depth + 1);
  return exampleOfType(document, own, depth);
}

/**
 * @param {Json} document
 * @param {Json} schema
 * @param {number} depth
 * @returns {any}
 */
function exampleOfType(document, schema, depth) {
  const kind = [schema.type ?? (schema.properties ? 'object' : 'null')].flat().find((one) => one !== 'null');
  switch (kind) {
    case 'object':
      return Object.fromEntries(Object.entries(schema.properties ?? {})
        .filter(([name]) => depth === 0 || schema.required?.includes(name))
        .map(([name, one]) => [name, exampleOf(document, one, depth + 1)]));
    case 'array':
      return schema.prefixItems
        ? schema.prefixItems.map((/** @type {Json} */ one) => exampleOf(document, one, depth + 1))
        : [exampleOf(document, schema.items ?? {}, depth + 1)];
    case 'integer': case 'number': return Math.max(1, schema.minimum ?? 1);
    case 'boolean': return true;
    case 'string': return schema.format === 'password' ? 'correct horse' : 'text';
    default: return null;
  }
}
