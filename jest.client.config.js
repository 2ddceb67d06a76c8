import config from './jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...config,
  testMatch: ['<rootDir>/clients/*/test/**/*.spec.ts'],
  // Those in Chromium have a command of their own.
  testPathIgnorePatterns: ['/test/browser/'],
};
