import config from './jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...config,
  testMatch: ['<rootDir>/clients/*/test/browser/**/*.spec.ts'],
  // These specs don't see all that the documents name.
  reporters: ['default', ['<rootDir>/test/wire/wire-reporter.js', { isFull: false }]],
  // Each has a Chromium of its own.
  maxWorkers: 2,
};
