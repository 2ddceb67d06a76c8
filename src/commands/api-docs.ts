import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { createAsyncApi } from '../api-docs/asyncapi.js';
import { createOpenApi } from '../api-docs/openapi.js';
import { AppModule } from '../app.module.js';
import { createHttpAdapter } from '../common/http/http-adapter.js';

/** The documents by the names of their files. */
const DOCUMENTS = { 'openapi.json': createOpenApi, 'asyncapi.json': createAsyncApi };

// `npm run openapi`: writes the OpenAPI and the AsyncAPI document. With --check it exits 1 when a file differs from the
// code. It starts nothing: a previewed application has routes and no providers.
const { values } = parseArgs({ options: { check: { type: 'boolean' } } });
const app = await NestFactory.create(AppModule, createHttpAdapter(), {
  preview: true,
  logger: false,
});
for (const [file, create] of Object.entries(DOCUMENTS)) {
  const text = `${JSON.stringify(create(app), null, 2)}\n`;
  if (!values.check) {
    writeFileSync(file, text);
  } else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is not what the code says: run "npm run openapi" and commit it.`);
    process.exitCode = 1;
  }
}
