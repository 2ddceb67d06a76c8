import { copyFileSync, readFileSync } from 'node:fs';
import { operationsOf } from './asyncapi-operations.js';
import { withErrorCodes } from './error-codes.js';

/** The documents of the wire. Those of the last release are in docs/released. */
export const DOCUMENTS = ['openapi.json', 'asyncapi.json'] as const;

export type DocumentName = (typeof DOCUMENTS)[number];

/** A document, as it stands in a folder. */
export const read = (name: DocumentName, folder = '.'): any => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));

export const readReleased = (name: DocumentName): any => read(name, 'docs/released');

/** A document in the form in which two of them can be compared. */
export const comparable = (name: DocumentName, document: any): object =>
  name === 'asyncapi.json' ? operationsOf(document) : withErrorCodes(document);

/** Makes the documents of today those of the last release. */
export function release(): void {
  for (const name of DOCUMENTS) copyFileSync(name, `docs/released/${name}`);
}

/** Whether a version may break clients of a released one: by its major version, before 1.0 by its minor one. */
export function mayBreak(released: string, current: string): boolean {
  const [oldMajor = 0, oldMinor = 0] = released.split('.').map(Number);
  const [major = 0, minor = 0] = current.split('.').map(Number);
  return major > oldMajor || (major === 0 && oldMajor === 0 && minor > oldMinor);
}
