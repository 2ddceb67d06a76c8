import { Buffer } from 'node:buffer';
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { Transform } from 'node:stream';
import { JsonSchemas } from './json-schemas.js';
import { guard, note } from './wire-log.js';

/** Compares each answer over HTTP with the OpenAPI document. */

/** What isn't part of the API: the documents themselves, and how they are shown. */
const UNDOCUMENTED = /^\/(docs|openapi\.json|asyncapi\.json|docs-json|docs-yaml)(\/|$)/;
const PROBLEM = '/components/schemas/Problem';
const PROBLEM_TYPE = 'application/problem+json';

const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'));
const schemas = new JsonSchemas(document);
/** The headers that the document declares, by their names in lower case. */
const DECLARED = new Map(Object.keys(document.components.headers).map((name) => [name.toLowerCase(), name]));

/** From now on, compares the answers of each Fastify that is made. */
export function checkHttpAnswers() {
  subscribe('fastify.initialization', ({ fastify }) => {
    fastify.addHook('onSend', (_request, reply, payload, done) => done(null, kept(reply, payload)));
    fastify.addHook('onResponse', (request, reply, done) => {
      checkAnswer(request, reply);
      done();
    });
  });
}

/** Keeps the body, also of a stream, to be compared once it is sent. */
export function kept(reply, payload) {
  reply.body = payload;
  if (typeof payload?.pipe !== 'function') return payload;
  const chunks = [];
  const copying = new Transform({
    transform(chunk, _encoding, done) {
      chunks.push(chunk);
      done(null, chunk);
    },
    flush(done) {
      reply.body = Buffer.concat(chunks);
      done();
    },
  });
  payload.on('error', (error) => copying.destroy(error));
  return payload.pipe(copying);
}

/** Compares an answer that was sent. */
export function checkAnswer(request, reply) {
  guard(`the answer to ${request.method} ${request.routeOptions.url}`, () => compare(request, reply));
}

function compare({ method, url, routeOptions, is404 }, reply) {
  const path = url.split('?', 1)[0];
  if (UNDOCUMENTED.test(path) || method === 'HEAD' || method === 'OPTIONS') return;
  if (is404) return checkProblem(`${method} of no route`, reply, OF_NO_ROUTE);
  const route = routeOptions.url.replace(/(.)\/$/, '$1').replace(/:(\w+)/g, '{$1}');
  const operation = document.paths[route]?.[method.toLowerCase()];
  const name = `${method} ${route}`;
  if (!operation) return note('fault', `${name} is not in the OpenAPI`);
  const response = operation.responses[reply.statusCode];
  if (!response) return checkProblem(name, reply, OF_HTTP);
  note('seen', `${name} ${reply.statusCode}`);
  checkBody(name, response, reply, ['paths', route, method.toLowerCase(), 'responses', reply.statusCode]);
  checkHeaders(name, response, reply);
}

/** Errors of HTTP itself that any request can cause, whatever it asks for. */
const OF_HTTP = ['validation_failed', 'payload_too_large', 'unsupported_media_type', 'expectation_failed'];
const OF_NO_ROUTE = [...OF_HTTP, 'not_found', 'method_not_allowed'];

/** Checks that an answer with a status that is not documented is a problem with one of these codes. */
function checkProblem(name, reply, codes) {
  const problem = parsed(reply);
  const fault = schemas.faultOf(PROBLEM, problem);
  if (fault) return note('fault', `${name} answers ${reply.statusCode} with no problem: ${fault}`);
  if (mediaTypeOf(reply) !== PROBLEM_TYPE || !codes.includes(problem.code))
    note('fault', `${name} answers ${reply.statusCode}, ${problem.code}, which it doesn't document`);
}

function checkBody(name, { content }, reply, place) {
  const type = mediaTypeOf(reply);
  const sent = parsed(reply);
  if (!content) {
    if (sent !== undefined && sent !== '') note('fault', `${name} answers ${reply.statusCode} with a body`);
    return;
  }
  if (!content[type])
    return note('fault', `${name} answers ${reply.statusCode} as "${type}", which it doesn't document`);
  const pointer = [...place, 'content', type, 'schema'].map((part) => String(part).replaceAll('/', '~1')).join('/');
  for (const field of schemas.fieldsOf(`/${pointer}`, sent)) note('seen', `field ${field}`);
  const fault = schemas.faultOf(`/${pointer}`, sent);
  if (fault) note('fault', `${name} answers ${reply.statusCode}: ${fault}`);
  if (type !== PROBLEM_TYPE) return;
  note('seen', `code ${sent.code}`);
  note('seen', `${name} ${sent.code}`);
  if (!(sent.code in (content[type].examples ?? {})))
    note('fault', `${name} answers ${sent.code}, which it doesn't document`);
}

function checkHeaders(name, { headers = {} }, reply) {
  for (const header of Object.keys(reply.getHeaders())) {
    const declared = DECLARED.get(header);
    if (declared && !headers[declared]) note('fault', `${name} ${reply.statusCode} has an undocumented ${declared}`);
  }
  for (const header of Object.keys(headers)) {
    if (reply.hasHeader(header)) note('seen', `header ${header}`);
  }
}

const mediaTypeOf = (reply) => String(reply.getHeader('content-type') ?? '').split(';', 1)[0];

/** The body of an answer as a value; undefined without one. */
function parsed(reply) {
  const text = reply.body?.toString();
  if (!String(reply.getHeader('content-type')).includes('json')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
