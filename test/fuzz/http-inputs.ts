import { readFileSync } from 'node:fs';
import type { OpenAPIObject } from '@nestjs/swagger';
import fc from 'fast-check';
import { corrupted, hostileJson, type Members, mostly, mutated, strangeText, utf8, VALID } from './hostile-values.js';
import type { Input } from './inputs.js';

// Random HTTP requests for the fuzzer, derived from openapi.json.

const document = JSON.parse(readFileSync('openapi.json', 'utf8')) as OpenAPIObject;

/** The members of a schema of the OpenAPI document, each with a valid value. */
function membersOf(schema: any): Members {
  const { $ref, oneOf, properties } = schema;
  if ($ref) return membersOf(document.components!.schemas![($ref as string).split('/').at(-1)!]);
  if (oneOf) return membersOf(oneOf[0]);
  return Object.entries<any>(properties).map(([name, property]) => {
    const example = property.examples?.[0] ?? property.enum?.[0] ?? 'member';
    return [name, VALID[name] ?? utf8(JSON.stringify(example))] as const;
  });
}

const HEADERS: readonly (readonly [name: string, ...values: string[]])[] = [
  ['X-Request-Id', 'abc', 'x'.repeat(300), '<script>', ''],
  ['Idempotency-Key', '$key', 'a b', '\xff', 'k'.repeat(65), ''],
  ['Transfer-Encoding', 'chunked', 'gzip', 'chunked, chunked', 'identity'],
  ['Expect', '100-continue', 'the unexpected'],
  ['Upgrade', 'websocket', 'h2c'],
  ['Connection', 'keep-alive', 'upgrade', 'close, x'],
  ['Origin', 'https://evil.example', 'null', '\xff'],
  ['Accept', 'text/html', '*/*;q=2', ''],
  ['Accept-Encoding', 'gzip', 'br;q=1, *;q=0'],
  ['Cookie', '__proto__=1', 'a=b'],
  ['X-Forwarded-For', '1.2.3.4', '::', 'x, y'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['Range', 'bytes=0-1', 'bytes=-1'],
  ['If-None-Match', '*', 'W/"x"'],
  ['Content-Encoding', 'gzip', 'deflate'],
  ['__proto__', '1'],
  ['constructor', '1'],
];
const strangeHeader = fc
  .constantFrom(...HEADERS)
  .chain(([name, ...values]) => fc.constantFrom(...values.map((value) => `${name}: ${value}`)));

const authorization = mostly(
  'Authorization: Bearer $token',
  fc.constantFrom(
    'X-None: 1',
    'Authorization: Bearer',
    'Authorization: Basic $token',
    'Authorization: Bearer a.b.c',
    'Authorization: \xff',
  ),
);
const contentType = (usual: string): fc.Arbitrary<string> =>
  mostly(
    usual,
    fc.constantFrom(
      'text/plain',
      'application/xml',
      'application/json; charset=utf-16',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      '/',
      '',
      'application/json, text/plain',
    ),
  ).map((type) => `Content-Type: ${type}`);
const contentLength = mostly(
  'Content-Length: $length',
  fc.constantFrom(
    'Content-Length: 0',
    'Content-Length: 5',
    'Content-Length: 99999999999',
    'Content-Length: -1',
    'Content-Length: x',
    'X-None: 1',
  ),
  20,
);

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly queries: readonly string[];
  readonly members: Members | undefined;
}

const operations: Operation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries<any>(item as object).map(([method, { parameters = [], requestBody }]) => ({
    method: method.toUpperCase(),
    path,
    queries: parameters.flatMap((one: any) => (one.in === 'query' ? [one.name as string] : [])),
    // The login is declared as a form, and takes JSON with the same fields, too.
    members: requestBody && membersOf(Object.values<any>(requestBody.content as object)[0].schema),
  })),
);

/** A path with a value in place of each `{name}`. */
function filledPath({ path }: Operation): fc.Arbitrary<string> {
  const kind = /^\/(chats|groups|messages|users|auth)/.exec(path)?.[1];
  const own = { chats: '$chat', groups: '$chat', messages: '$message', users: '$user', auth: '$session' }[kind ?? ''];
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  return fc.tuple(...names.map((name) => mostly(VALID[name] ?? own ?? '1', strangeText, 4))).map((values) => {
    let index = 0;
    return path.replace(/\{\w+\}/g, () => values[index++]!);
  });
}

const queryOf = ({ queries }: Operation): fc.Arbitrary<string> => {
  const name = fc.constantFrom(...queries, '__proto__', 'constructor', 'a[b]', 'limit');
  const pair = fc.tuple(name, fc.oneof(fc.constantFrom('1', '20', 'ada', '$chat'), strangeText));
  return fc
    .array(pair, { maxLength: 3 })
    .map((pairs) => (pairs.length > 0 ? `?${pairs.map((one) => one.join('=')).join('&')}` : ''));
};

const bodyOf = ({ members }: Operation): fc.Arbitrary<string> => {
  if (!members) return mostly('', hostileJson, 6);
  return corrupted(fc.oneof({ weight: 6, arbitrary: mutated(members) }, { weight: 1, arbitrary: hostileJson }));
};

const isSlow = ({ path }: Operation): boolean => /login|register|password/.test(path);
const operation = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...operations.filter((one) => !isSlow(one))) },
  // Each of these costs an argon2 hash, so they are rare.
  { weight: 1, arbitrary: fc.constantFrom(...operations.filter(isSlow)) },
);

const oddTarget = fc.oneof(
  fc.constantFrom(
    '*',
    '/',
    '//',
    '/docs',
    '/openapi.json',
    '/docs/../etc/passwd',
    '/docs/%2e%2e/%2e%2e/package.json',
    'http://x/',
    '/metrics?x',
    '/ws/chat',
    '/socket.io',
    '/socket.io/',
  ),
  fc
    .constantFrom('polling', 'websocket', 'webtransport', '__proto__')
    .chain((transport) =>
      strangeText.map((sid) => `/socket.io/?EIO=4&transport=${transport}&sid=${encodeURI(sid.toWellFormed())}`),
    ),
  strangeText.map((text) => `/${text}`),
);

/** HTTP requests that follow the OpenAPI document, with and without errors. */
export const http: fc.Arbitrary<Input> = operation.chain((one) =>
  fc
    .record({
      method: mostly(
        one.method,
        fc.constantFrom(
          'GET',
          'POST',
          'PUT',
          'PATCH',
          'DELETE',
          'HEAD',
          'OPTIONS',
          'TRACE',
          'CONNECT',
          'QUERY',
          'get',
          'X',
        ),
        30,
      ),
      target: fc.oneof(
        { weight: 15, arbitrary: fc.tuple(filledPath(one), queryOf(one)).map((parts) => parts.join('')) },
        { weight: 1, arbitrary: oddTarget },
      ),
      protocol: mostly('HTTP/1.1', fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/9', ''), 60),
      headers: fc.tuple(authorization, contentType('application/json'), contentLength),
      strange: fc.array(strangeHeader, { maxLength: 2 }),
      body: bodyOf(one),
    })
    .map(({ method, target, protocol, headers, strange, body }) => ({
      kind: 'http' as const,
      head: [`${method} ${utf8(target)} ${protocol}`, 'Host: localhost', 'Connection: close', ...headers, ...strange],
      body,
    })),
);
