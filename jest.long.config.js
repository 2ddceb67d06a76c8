import config from './jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...config,
  testMatch: ['sync-convergence', 'refresh-token-rotation', 'fuzz/fuzz'].map(
    (name) => `<rootDir>/test/${name}.spec.ts`,
  ),
  // Three specs don't see all that the documents name.
  reporters: ['default', ['<rootDir>/test/wire/wire-reporter.js', { isFull: false }]],
  globals: { LONG_RUNS: true },
};
