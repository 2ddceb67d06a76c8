import config from './jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...config,
  testMatch: ['<rootDir>/clients/*/test/**/*.spec.ts'],
  // These specs don't see all that the documents name.
  reporters: ['default', ['<rootDir>/test/wire/wire-reporter.js', { isFull: false }]],
};
