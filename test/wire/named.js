import { readFileSync } from 'node:fs';

/** What the documents name, in the words in which `http-answers.js` and `socket-frames.js` note what they see. */

/** Errors that all operations can have, or all whose work may wait in a queue: one answer anywhere is enough. */
const COMMON = new Set([
  'internal_error',
  'unavailable',
  'overloaded',
  'unauthorized',
  'token_expired',
  'rate_limited',
]);
/** A test of these would have to fill a queue with 10,000 writes; chat-lane.scheduler.spec.ts fills one without a server. */
const NOT_ON_SOCKETS = new Set(['overloaded']);
const OF_BODIES = ['payload_too_large', 'unsupported_media_type'];

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

export function namedByOpenApi() {
  const { paths, components } = read('openapi.json');
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, ...operation })),
  );
  return [
    ...operations.flatMap(namedByOperation),
    ...Object.keys(components.examples).map((code) => `code ${code}`),
    ...Object.keys(components.headers).map((header) => `header ${header}`),
    ...fieldsFrom(
      operations.map(({ responses }) => responses),
      components.schemas,
    ).map((field) => `field ${field}`),
  ];
}

function namedByOperation({ name, responses }) {
  return Object.entries(responses).flatMap(([status, { content }]) => {
    if (status.startsWith('2')) return [`${name} ${status}`];
    const codes = Object.keys(content['application/problem+json']?.examples ?? {});
    return codes.filter((code) => !COMMON.has(code) && !OF_BODIES.includes(code)).map((code) => `${name} ${code}`);
  });
}

export function namedByAsyncApi() {
  const { components } = read('asyncapi.json');
  const messages = Object.entries(components.messages);
  return [
    ...messages.map(([key]) => `message ${key}`),
    ...messages.flatMap(([, { 'x-errors': errors = [], 'x-command': command }]) =>
      errors
        .filter((code) => !NOT_ON_SOCKETS.has(code))
        .map((code) => (COMMON.has(code) || OF_BODIES.includes(code) ? `socket code ${code}` : `${command} ${code}`)),
    ),
    ...fieldsFrom(components.messages, components.schemas).map((field) => `socket field ${field}`),
  ];
}

/** The fields of all schemas that these parts refer to, as `Chat.name`. */
function fieldsFrom(parts, schemas, found = new Set()) {
  for (const [, name] of JSON.stringify(parts).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (found.has(name)) continue;
    found.add(name);
    fieldsFrom(schemas[name], schemas, found);
  }
  return [...found].flatMap((name) => Object.keys(schemas[name].properties ?? {}).map((field) => `${name}.${field}`));
}
