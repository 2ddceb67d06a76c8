/** Validates values against the schemas of a document. */
export class JsonSchemas {
  constructor(document: object);
  faultOf(pointer: string, value: unknown): string | undefined;
}
