import fc from 'fast-check';

// Random values for the fuzzer: JSON, keys, paths and bytes that are unlikely or malformed.

/** Placeholders that target.ts replaces by existing ids when an input is sent. */
const PLACEHOLDERS = ['$user', '$chat', '$message', '$session', '$token', '$key'] as const;

/** UTF-8 bytes as a string with one character per byte: the form in which inputs hold what is sent. */
export const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const NESTED = [10, 1_000, 8_000];

/** JSON that is an unlikely value for any field, and not always well-formed. */
export const hostileJson: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...['null', 'true', '0', '-1', '-0', '1.5', '1e400', '1e3', '9007199254740991', '9007199254740992', '1e21'],
    ...['""', '" "', '"\\u0000"', '"a\\ud800"', '"\\udc00a"', '"\\ud83d\\ude00"', '"\\u202e"', '"%00"', '"__proto__"'],
    ...['[]', '{}', '[null]', '[[]]', '{"toString":1}', '{"length":1}', '{"toJSON":1}', '{"then":1}', '{"0":1}'],
    ...[
      '{"__proto__":{"polluted":1}}',
      '{"constructor":{"prototype":{"polluted":1}}}',
      'undefined',
      'NaN',
      '01',
      '+1',
      '',
    ],
    ...['"2025-04-08T12:00:00.000Z"', '"\'; DROP TABLE users; --"', '"${7*7}"', '"../../etc/passwd"', '{"$gt":""}'],
  ),
  fc.constantFrom(...PLACEHOLDERS).map((placeholder) => `"${placeholder}"`),
  fc.constantFrom('$user', '$chat', '$message'),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => utf8(JSON.stringify(text))),
  fc.string({ unit: 'grapheme-composite', maxLength: 20 }).map((text) => utf8(JSON.stringify(text))),
  fc.double().map(String),
  fc.bigInt().map(String),
  fc.jsonValue({ maxDepth: 3 }).map((value) => utf8(JSON.stringify(value))),
  fc.constantFrom(...NESTED).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.constantFrom(...NESTED).map((depth) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)),
  fc.constantFrom(100, 4_096, 4_097, 60_000).map((length) => `"${'x'.repeat(length)}"`),
  fc.constantFrom(100, 10_000).map((length) => `[${'1,'.repeat(length)}1]`),
);

const hostileKey = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'then',
    'id',
    'user_id',
    'role',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

/** The members of an object, as JSON texts. A key may occur twice. */
export type Members = readonly (readonly [key: string, json: string])[];

/** The object as JSON, with some members replaced, removed, duplicated or added. */
export function mutated(members: Members): fc.Arbitrary<string> {
  const member = ([key, json]: Members[number]): fc.Arbitrary<Members> =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constant([[key, json]] as const) },
      { weight: 3, arbitrary: hostileJson.map((hostile) => [[key, hostile]] as const) },
      { weight: 1, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: hostileJson.map(
          (hostile) =>
            [
              [key, json],
              [key, hostile],
            ] as const,
        ),
      },
    );
  const strange = fc.array(fc.tuple(hostileKey, hostileJson), { maxLength: 1 });
  return fc
    .tuple(fc.tuple(...members.map(member)), strange)
    .map(([own, others]) => objectOf([...own.flat(), ...others.map(([key, json]) => [key, json] as const)]));
}

const objectOf = (members: Members): string =>
  `{${members.map(([key, json]) => `${utf8(JSON.stringify(key))}:${json}`).join(',')}}`;

/** The bytes, sometimes with some of them removed, inserted or changed. */
export function corrupted(bytes: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const junk = fc.constantFrom(
    '\0',
    '\xff\xfe',
    '\xed\xa0\x80',
    '\xc0\x80',
    '\xf8\x88',
    '"',
    '\\',
    '{',
    ']',
    ',',
    '\r\n',
  );
  const spoil = fc
    .tuple(bytes, fc.double({ min: 0, max: 1, noNaN: true }), junk, fc.constantFrom('cut', 'put', 'replace'))
    .map(([text, place, piece, way]) => {
      const at = Math.floor(place * text.length);
      return text.slice(0, at) + (way === 'cut' ? '' : piece + text.slice(way === 'put' ? at : at + 1));
    });
  return fc.oneof({ weight: 4, arbitrary: bytes }, { weight: 1, arbitrary: spoil });
}

/** Valid values by the name of a field. For other fields the OpenAPI document has an example. */
export const VALID: Readonly<Record<string, string>> = {
  chat_id: '$chat',
  group_id: '$chat',
  user_id: '$user',
  member_ids: '[$user]',
  message_id: '$message',
  reply_to_id: '$message',
  client_message_id: '"$key"',
  cursors: '{"$chat":{"seq":0,"change_seq":0}}',
  token: '"$token"',
  is_typing: 'true',
  email: '"$key@example.com"',
};

/** Text for a path or a query. */
export const strangeText = fc.oneof(
  fc.constantFrom(
    '',
    '%00',
    '%ff',
    '%ED%A0%80',
    '%2e%2e',
    '..',
    '__proto__',
    'constructor',
    '0',
    '-1',
    '1e3',
    '%',
    '٣',
  ),
  fc.constantFrom('9007199254740992', '18446744073709551616', 'NaN', 'null', '[object Object]', "'", '*', '%0d%0aX: y'),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
  fc.constantFrom(300, 20_000).map((length) => 'a'.repeat(length)),
);

/** The usual value, `weight` times out of `weight + 1`. */
export const mostly = <T>(usual: T, strange: fc.Arbitrary<T>, weight = 12): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: strange });
