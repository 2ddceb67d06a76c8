/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/{src,test,bench}/**/*.spec.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
  extensionsToTreatAsEsm: ['.ts'],
  // Sources import each other as `./x.js`, the name the compiled file will have.
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@nestjs/throttler$': '<rootDir>/test/support/throttler.ts',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          // Nest and TypeORM read the types of constructor parameters and fields at run time.
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
      },
    ],
    // Used by @fastify/static through require(esm), which jest has only from Node 24.9 on.
    'node_modules/content-disposition/.+\\.js$': '@swc/jest',
  },
  transformIgnorePatterns: ['/node_modules/(?!content-disposition/)'],
  testEnvironment: '<rootDir>/test/support/environment.js',
  testTimeout: 30_000,
  // More than the two cores of CI: the specs that start processes mostly wait.
  maxWorkers: 3,
  // Each file leaves its modules in the heap, some 80 MB. A worker of 2 GB takes longer to end than jest waits.
  workerIdleMemoryLimit: '500MB',
};
