import config from './jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...config,
  testMatch: ['<rootDir>/clients/*/test/**/*.spec.ts'],
};
