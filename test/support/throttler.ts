import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import type * as Throttler from '@nestjs/throttler';
import { runModule } from './run-module.js';

// @nestjs/throttler for jest. The package is CommonJS and loads NestJS, which is ESM, with `require`: Node can do that,
// jest only from Node 24.9 on (see jest.config.js). So its unchanged files are run here, with their imports passed in.

const DIST = resolve('node_modules/@nestjs/throttler/dist');
const ESM: Record<string, unknown> = { '@nestjs/common': common, '@nestjs/core': core };
const builtIn = createRequire(import.meta.url);
type Run = (exports: object, require: (name: string) => unknown) => void;
const loaded = new Map<string, object>();
const files = new Map<string, Run>();

// As ES modules they run in jest's own context. A file compiled by node:vm would run in another one.
for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((one) => one.endsWith('.js'))) {
  const file = join(DIST, name);
  files.set(
    file,
    await runModule<Run>(`const run = (exports, require) => { ${readFileSync(file, 'utf8')}\n};`, 'run', {}),
  );
}

function load(file: string): object {
  const known = loaded.get(file);
  if (known) return known;
  const exports = {};
  loaded.set(file, exports);
  const require = (name: string): unknown =>
    name.startsWith('.') ? load(join(file, '..', `${name}.js`)) : (ESM[name] ?? builtIn(name));
  files.get(file)!(exports, require);
  return exports;
}

export const {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  SkipThrottle,
  Throttle,
  ThrottlerGuard,
  ThrottlerModule,
} = load(join(DIST, 'index.js')) as typeof Throttler;
