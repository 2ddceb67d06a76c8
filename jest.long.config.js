import config from './jest.config.js';
import { ONLY_LONG } from './jest.quick.config.js';

/**
 * `npm run test:long`: the specs that send many thousand requests or start many processes, and the random ones with many
 * runs.
 * @type {import('jest').Config}
 */
export default {
  ...config,
  testMatch: [...ONLY_LONG, 'refresh-token-rotation', 'sync-convergence'].map(
    (name) => `<rootDir>/test/${name}.spec.ts`,
  ),
  globals: { LONG_RUNS: true },
};
