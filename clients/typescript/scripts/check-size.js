// Fails when what a page must load has grown beyond its bound. Run it after the build.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** In bytes, minified and gzipped, as a browser loads it. What it is today, so that it grows only on purpose. */
const BOUNDS = { own: 13_400, 'with dependencies': 28_900 };

async function sizeOf(options) {
  const { outputFiles } = await build({
    entryPoints: ['dist/index.js'],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    ...options,
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

const sizes = { own: await sizeOf({ packages: 'external' }), 'with dependencies': await sizeOf({}) };
for (const [what, size] of Object.entries(sizes)) {
  console.log(`${what}: ${size} of ${BOUNDS[what]} bytes`);
  if (size > BOUNDS[what]) process.exitCode = 1;
}
