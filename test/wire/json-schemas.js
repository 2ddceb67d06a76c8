import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** Formats of OpenAPI that say how to show a value or how large a program's type must be. They refuse nothing. */
const ANNOTATIONS = { int64: true, password: true, 'idn-email': true };

/**
 * Validates values against the schemas of a document. Fields that a schema doesn't name are refused: clients have to
 * ignore them, but the documents have to name what the server sends.
 */
export class JsonSchemas {
  compiled = new Map();

  constructor(document) {
    this.document = document;
  }

  /** Made at the first use, as many servers that tests start send nothing. */
  get ajv() {
    const ajv = new Ajv2020({ strict: false, formats: ANNOTATIONS });
    addFormats.default(ajv);
    ajv.addSchema(closed(this.document), 'document');
    Object.defineProperty(this, 'ajv', { value: ajv });
    return ajv;
  }

  /** What is wrong with the value, for the schema at this JSON pointer; undefined when nothing is. */
  faultOf(pointer, value) {
    let validate = this.compiled.get(pointer);
    if (!validate) {
      validate = this.ajv.compile({ $ref: `document#${encodeURI(pointer)}` });
      this.compiled.set(pointer, validate);
    }
    if (validate(value)) return undefined;
    const [{ instancePath, message, params }] = validate.errors;
    // The same fault in any item of a list is one fault.
    return `${pointer}: ${instancePath.replace(/\d+/g, '*')} ${message} ${JSON.stringify(params)}`;
  }

  /** The fields of named schemas that the value has, as `Chat.name`, also those of objects within it. */
  fieldsOf(pointer, value) {
    const found = new Set();
    this.addFields(partAt(this.document, pointer), value, '', found);
    return found;
  }

  addFields(schema, value, name, found) {
    if (typeof value !== 'object' || value === null) return;
    const { $ref, anyOf, oneOf, items, properties, additionalProperties } = schema;
    if ($ref) return this.addFields(partAt(this.document, $ref.slice(1)), value, $ref.split('/').at(-1), found);
    for (const part of [...(anyOf ?? []), ...(oneOf ?? [])]) this.addFields(part, value, name, found);
    if (Array.isArray(value)) return value.forEach((item) => this.addFields(items ?? {}, item, name, found));
    for (const [field, own] of Object.entries(value)) {
      const part = properties?.[field] ?? (additionalProperties || undefined);
      if (!part) continue;
      if (name && properties?.[field]) found.add(`${name}.${field}`);
      this.addFields(part, own, '', found);
    }
  }
}

/** The part of a document at a JSON pointer. */
const partAt = (document, pointer) =>
  pointer
    .split('/')
    .slice(1)
    .reduce((part, name) => part[name.replaceAll('~1', '/')], document);

/** A copy in which each object with properties has no others. */
function closed(part) {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== 'object' || part === null) return part;
  const copy = Object.fromEntries(Object.entries(part).map(([name, value]) => [name, closed(value)]));
  if (copy.type === 'object' && copy.properties) copy.additionalProperties ??= false;
  return copy;
}
