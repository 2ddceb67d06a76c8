import type { Schema } from './json-schema.js';

/** Schemas as HTML, for `/docs/events`. */

/** Text for HTML, in elements and in attributes. */
export const escaped = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

/** A line of text, with what stands between backticks as code. */
export const inline = (text: string): string => escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>');

/** The fields of an object, a row for each. */
export function fieldsTable({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties as Record<string, Schema>).map(
    ([name, schema]) =>
      `<tr><td><code>${escaped(name)}</code>${(required as string[]).includes(name) ? '' : ' <small>optional</small>'}</td>` +
      `<td class="type">${typeOf(schema)}</td><td>${inline(notesOf(schema))}</td></tr>`,
  );
  if (rows.length === 0) return '<p>No fields.</p>';
  return `<div class="table"><table><thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

/** A type in the notation of TypeScript; named schemas are links. */
export function typeOf({ $ref, type, anyOf, oneOf, items, properties, additionalProperties, ...rest }: Schema): string {
  if (typeof $ref === 'string') return reference($ref);
  if ('const' in rest) return escaped(JSON.stringify(rest.const));
  if (Array.isArray(rest.enum)) return rest.enum.map((value) => escaped(JSON.stringify(value))).join(' | ');
  const parts = (anyOf ?? oneOf) as Schema[] | undefined;
  if (parts) return parts.map(typeOf).join(' | ');
  if (type === 'array') return `${typeOf(items as Schema)}[]`;
  if (properties) {
    const fields = Object.entries(properties as Record<string, Schema>);
    return `{ ${fields.map(([name, schema]) => `${escaped(name)}: ${typeOf(schema)}`).join('; ')} }`;
  }
  if (typeof additionalProperties === 'object') return `{ [id]: ${typeOf(additionalProperties as Schema)} }`;
  if (type === 'object') return '{}';
  return escaped([type].flat().join(' | '));
}

/** A schema by its name. A reference to one of its fields shows the name and the field. */
function reference(target: string): string {
  const [, , , name = '', , field] = target.split('/');
  return `<a href="#${name}">${name}${field ? `.${field}` : ''}</a>`;
}

/** The parts of a schema that are told in words. */
interface Notes {
  readonly description?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly 'x-extensible-enum'?: readonly string[];
}

/** What the description and the bounds of a field say. */
function notesOf(schema: Schema): string {
  const { description, format, pattern, minLength = 0, maxLength, minimum = 0, maximum, ...rest } = schema as Notes;
  const known = rest['x-extensible-enum'];
  const hasOwnBounds = maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER;
  return [
    description,
    maxLength !== undefined && `${minLength} to ${maxLength} characters.`,
    pattern !== undefined && `Pattern \`${pattern}\`.`,
    format === 'date-time' && 'RFC 3339, UTC.',
    hasOwnBounds && `From ${minimum} to ${maximum}.`,
    known && `Known: ${known.map((code) => `\`${code}\``).join(', ')}.`,
  ]
    .filter((text) => typeof text === 'string')
    .join(' ');
}
