import config from './jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...config,
  testMatch: ['sync-convergence', 'refresh-token-rotation', 'fuzz/fuzz'].map(
    (name) => `<rootDir>/test/${name}.spec.ts`,
  ),
  globals: { LONG_RUNS: true },
};
