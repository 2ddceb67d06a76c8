import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import { createHttpAdapter } from '../common/http/http-adapter.js';
import { createOpenApi } from '../api-docs/openapi.js';

// `npm run openapi`: writes the OpenAPI document to a file (default openapi.json). With --check it exits 1 when the
// file differs from the code. It starts nothing: a previewed application has routes and no providers.
const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } });
const [file = 'openapi.json'] = positionals;
const app = await NestFactory.create(AppModule, createHttpAdapter(), {
  preview: true,
  logger: false,
});
const text = `${JSON.stringify(createOpenApi(app), null, 2)}\n`;
if (!values.check) {
  writeFileSync(file, text);
} else if (readFileSync(file, 'utf8') !== text) {
  console.error(`${file} is not what the code says: run "npm run openapi" and commit it.`);
  process.exitCode = 1;
}
