/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/{src,test,bench}/**/*.spec.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
  testEnvironment: '<rootDir>/test/support/jest-environment.js',
  runtime: '<rootDir>/test/support/jest-runtime.js',
  extensionsToTreatAsEsm: ['.ts'],
  reporters: ['default', '<rootDir>/test/wire/wire-reporter.js'],
  transform: {},
  modulePathIgnorePatterns: ['<rootDir>/sdks/'],
  // Less than the 45 s after which the server closes a connection without heartbeats.
  testTimeout: 30_000,
  // More than the two cores of CI: the specs that start processes mostly wait.
  maxWorkers: 4,
};
