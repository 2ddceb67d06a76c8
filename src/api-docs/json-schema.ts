/**
 * @nestjs/swagger makes the schemas of OpenAPI 3.0. These functions make of them those of OpenAPI 3.1, which are JSON
 * Schema 2020-12: https://spec.openapis.org/oas/v3.1.1.html#schema-object
 */

/** A schema, or any part of one. */
export type Schema = Record<string, unknown>;

/** Where the schemas of a document are. */
const SCHEMAS = '#/components/schemas/';

/** The ending of most classes that schemas come from. No client has to read it. */
const CLASS_ENDING = /Dto$/;

/** The largest integer that every client can hold: JavaScript's numbers are exact up to there. */
const LARGEST_INTEGER = Number.MAX_SAFE_INTEGER;

/** All schemas by name, in the form of 3.1. */
export function toJsonSchemas(schemas: Record<string, object>): Record<string, Schema> {
  const entries = Object.entries(schemas).map(([name, schema]) => [nameOf(name), toJsonSchema(schema)] as const);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The name of a schema in the documents: that of its class without the ending. */
export const nameOf = (className: string): string => className.replace(CLASS_ENDING, '');

/**
 * A schema, or any other part of a document, in the form of 3.1: a reference stands alone, null is a type, an example is
 * one of `examples`, and each integer has bounds.
 */
export function toJsonSchema(part: unknown): Schema {
  return convert(part) as Schema;
}

function convert(part: unknown): unknown {
  if (typeof part === 'string') return renamed(part);
  if (Array.isArray(part)) return part.map(convert);
  if (typeof part !== 'object' || part === null) return part;
  const { nullable, allOf, example, $ref, ...rest } = part as Schema;
  const referred = ($ref ?? (allOf as [Schema] | undefined)?.[0].$ref) as string | undefined;
  if (referred !== undefined) return reference(referred, rest, nullable === true);
  const converted = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, convert(value)]));
  return {
    ...(rest.type === 'integer' && { minimum: 0, maximum: LARGEST_INTEGER }),
    ...converted,
    ...(nullable === true && { type: [rest.type, 'null'] }),
    ...(example !== undefined && { examples: [example] }),
  };
}

const renamed = (text: string): string =>
  text.startsWith(SCHEMAS) ? SCHEMAS + nameOf(text.slice(SCHEMAS.length)) : text;

function reference(target: string, { description }: Schema, nullable: boolean): Schema {
  const $ref = renamed(target);
  const beside = description === undefined ? {} : { description };
  return nullable ? { anyOf: [{ $ref }, { type: 'null' }], ...beside } : { $ref, ...beside };
}

/** The names of all schemas that a part of a document refers to, also through other schemas. */
export function referredFrom(part: unknown, schemas: Record<string, Schema>, found = new Set<string>()): Set<string> {
  for (const [, name] of JSON.stringify(part ?? null).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (found.has(name!)) continue;
    found.add(name!);
    referredFrom(schemas[name!], schemas, found);
  }
  return found;
}
