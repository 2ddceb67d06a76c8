import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts', react: 'src/react.ts', node: 'src/node/index.ts' },
  format: 'esm',
  platform: 'neutral',
  deps: { neverBundle: [/^node:/] },
  target: 'es2022',
  // The contract of the server and the types of its REST API become part of ours: the package stands alone.
  dts: true,
  sourcemap: true,
  publint: { level: 'suggestion', strict: true },
  attw: { profile: 'esm-only', level: 'error' },
});
