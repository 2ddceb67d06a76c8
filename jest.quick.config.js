import config from './jest.config.js';

/** The specs that only `npm run test:long` runs. */
export const ONLY_LONG = ['access/matrix', 'embedded-postgres', 'fuzz/fuzz', 'graceful-shutdown'];

/**
 * `npm test`.
 * @type {import('jest').Config}
 */
export default {
  ...config,
  testMatch: [...config.testMatch, ...ONLY_LONG.map((name) => `!**/test/${name}.spec.ts`)],
  // These specs together see all that the documents name.
  reporters: ['default', ['<rootDir>/test/wire/wire-reporter.js', { seesAll: true }]],
};
