// @ts-check
/**
 * Reads the contract's two documents (OpenAPI 3.1, AsyncAPI 3.0) into what the page shows: routes and events.
 * Not for: elements (route-view.js, event-view.js), or schemas (schema.js).
 *
 * @typedef {Record<string, any>} Json
 *
 * @typedef {object} Body of one media type
 * @property {string} type
 * @property {Json} schema
 *
 * @typedef {object} Parameter
 * @property {string} name
 * @property {'path' | 'query' | 'header'} in
 * @property {boolean} required
 * @property {string} description
 * @property {Json} schema
 *
 * @typedef {object} Answer
 * @property {string} status
 * @property {string} description
 * @property {[string, string][]} headers name and description
 * @property {Body[]} bodies
 *
 * @typedef {object} Route
 * @property {string} id also its fragment in the page's address
 * @property {string} group
 * @property {string} method in capitals
 * @property {string} path
 * @property {string} summary
 * @property {string} description
 * @property {'all' | 'audience' | 'member' | 'admin'} who may call it
 * @property {Parameter[]} parameters
 * @property {Body[]} bodies
 * @property {boolean} needsBody
 * @property {Answer[]} answers
 * @property {string} words what a search looks at, in lower case
 *
 * @typedef {object} Event
 * @property {string} id
 * @property {string} name
 * @property {'told' | 'asked'} direction by the server, or by clients
 * @property {string} about
 * @property {string[]} channels titles of the transports
 * @property {Json | null} payload
 * @property {Json | null} ack what is answered
 * @property {string} words
 */

/**
 * What a part of a document refers to, or the part itself.
 * @param {Json} document
 * @param {Json} part
 * @returns {Json}
 */
export function resolve(document, part) {
  let found = part;
  for (let steps = 0; found && typeof found.$ref === 'string' && steps < 16; steps += 1) found = at(document, found.$ref);
  return found ?? {};
}

/**
 * @param {Json} document
 * @param {string} reference `#/components/schemas/Goods`
 */
function at(document, reference) {
  const names = reference.replace(/^#\//, '').split('/').map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return names.reduce((part, name) => part?.[name], document);
}

/**
 * The name of what is referred to.
 * @param {Json} part
 * @returns {string}
 */
export const nameOf = (part) => String(part?.$ref ?? '').split('/').pop() ?? '';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/**
 * All routes, in the order of their groups.
 * @param {Json} openapi
 * @returns {Route[]}
 */
export function routesOf(openapi) {
  const groups = groupsOf(openapi).map(({ name }) => name);
  const all = Object.entries(openapi.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => route(openapi, path, method, item[method])));
  return all.sort((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group));
}

/**
 * @param {Json} openapi
 * @returns {{name: string, description: string}[]}
 */
export const groupsOf = (openapi) => openapi.tags ?? [];

/**
 * @param {Json} openapi
 * @param {string} path
 * @param {string} method
 * @param {Json} operation
 * @returns {Route}
 */
function route(openapi, path, method, operation) {
  const answers = Object.entries(operation.responses).map(([status, response]) => answer(openapi, status, response));
  const { summary = '', description = '', operationId: id } = operation;
  return {
    id,
    group: operation.tags?.[0] ?? '',
    method: method.toUpperCase(),
    path,
    summary,
    description,
    who: whoOf(operation.security),
    parameters: (operation.parameters ?? []).map((/** @type {Json} */ one) => parameter(openapi, one)),
    bodies: bodiesOf(resolve(openapi, operation.requestBody ?? {}).content),
    needsBody: Boolean(operation.requestBody?.required),
    answers: answers.sort((a, b) => a.status.localeCompare(b.status)),
    words: [method, path, summary, description, operation.tags?.[0], ...answers.map((one) => one.description)].join(' ').toLowerCase(),
  };
}

/**
 * @param {Record<string, string[]>[] | undefined} security
 * @returns {Route['who']}
 */
function whoOf(security) {
  if (!security?.length) return 'all';
  if (security.some((way) => way.listenKey)) return 'audience';
  return security.some((way) => way.bearer?.includes('admin')) ? 'admin' : 'member';
}

/**
 * @param {Json} openapi
 * @param {Json} one
 * @returns {Parameter}
 */
function parameter(openapi, one) {
  const { name, in: place, required = false, description = '', schema = {} } = resolve(openapi, one);
  return { name, in: place, required, description, schema };
}

/**
 * @param {Record<string, Json> | undefined} content
 * @returns {Body[]}
 */
const bodiesOf = (content) => Object.entries(content ?? {}).map(([type, { schema = {} }]) => ({ type, schema }));

/**
 * @param {Json} openapi
 * @param {string} status
 * @param {Json} response
 * @returns {Answer}
 */
function answer(openapi, status, response) {
  const { description = '', headers = {}, content } = resolve(openapi, response);
  return {
    status,
    description,
    headers: Object.entries(headers).map(([name, header]) => [name, resolve(openapi, header).description ?? '']),
    bodies: bodiesOf(content),
  };
}

/**
 * All events, each once, whatever transports it is on.
 * @param {Json} asyncapi
 * @returns {Event[]}
 */
export function eventsOf(asyncapi) {
  /** @type {Map<string, Event>} */
  const found = new Map();
  for (const operation of Object.values(asyncapi.operations)) {
    const direction = operation.action === 'send' ? 'told' : 'asked';
    const id = `event-${direction}-${operation.title}`;
    const channel = resolve(asyncapi, operation.channel).title;
    const known = found.get(id);
    if (known) known.channels.push(channel);
    else found.set(id, event(asyncapi, operation, { id, direction, channel }));
  }
  return [...found.values()];
}

/**
 * @param {Json} asyncapi
 * @param {Json} operation
 * @param {{id: string, direction: Event['direction'], channel: string}} about
 * @returns {Event}
 */
function event(asyncapi, operation, { id, direction, channel }) {
  const ack = operation.reply?.messages?.[0];
  return {
    id,
    name: operation.title,
    direction,
    about: operation.summary ?? '',
    channels: [channel],
    payload: payloadOf(asyncapi, operation.messages[0]),
    ack: ack ? payloadOf(asyncapi, ack) : null,
    words: `${operation.title} ${operation.summary}`.toLowerCase(),
  };
}

/**
 * What a message says, without the envelope of `/ws`.
 * @param {Json} asyncapi
 * @param {Json} message
 * @returns {Json | null}
 */
function payloadOf(asyncapi, message) {
  const { payload } = resolve(asyncapi, message);
  const isEnvelope = payload?.properties?.type?.const !== undefined;
  const says = isEnvelope ? payload.properties.payload : payload;
  return says && typeof says === 'object' ? says : null;
}

/**
 * Whether all words of a search are there.
 * @param {{words: string}} thing
 * @param {string} search
 */
export const matches = ({ words }, search) => search.toLowerCase().split(/\s+/).every((word) => words.includes(word));
