import config from './jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...config,
  testMatch: ['<rootDir>/clients/*/test/browser/**/*.spec.ts'],
  // Each has a Chromium of its own.
  maxWorkers: 2,
};
