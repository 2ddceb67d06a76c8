import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

// Parses asyncapi.json by the parser of the AsyncAPI initiative, and fails for each diagnostic, also a hint.
const { diagnostics } = await new Parser().parse(readFileSync('../asyncapi.json', 'utf8'));
for (const { message, path } of diagnostics) console.error(`${path.join('/')}: ${message}`);
process.exitCode = diagnostics.length > 0 ? 1 : 0;
