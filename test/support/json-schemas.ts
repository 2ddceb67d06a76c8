import type { OpenAPIObject } from '@nestjs/swagger';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** Formats of OpenAPI that say how to show a value or how large a program's type must be. They refuse nothing. */
const ANNOTATIONS = { int64: true, password: true } as const;

/** Validates values against the schemas of a document. */
export class JsonSchemas {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true, formats: ANNOTATIONS });
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor(document: OpenAPIObject) {
    addFormats.default(this.ajv);
    this.ajv.addSchema(document, 'document');
  }

  /** What is wrong with the value, for the schema at this JSON pointer; undefined when nothing is. */
  faultOf(pointer: string, value: unknown): string | undefined {
    const validate = this.compiled.get(pointer) ?? this.ajv.compile({ $ref: `document#${pointer}` });
    this.compiled.set(pointer, validate);
    return validate(value) ? undefined : `${pointer}: ${this.ajv.errorsText(validate.errors)}`;
  }

  /** @throws Error when the value doesn't fit the schema */
  expectValid(pointer: string, value: unknown): void {
    const fault = this.faultOf(pointer, value);
    if (fault !== undefined) throw new Error(`${fault} in ${JSON.stringify(value)}`);
  }
}
