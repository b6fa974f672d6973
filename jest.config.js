/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }] },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  setupFilesAfterEnv: ['<rootDir>/test/harness/once-more.ts'],
  testTimeout: 60_000,
  testSequencer: '<rootDir>/test/harness/sequencer.js',
  // Those on real parts wait most of their time: fewer at once would leave the cores unused.
  maxWorkers: Math.max(3, require('node:os').availableParallelism() - 1),
};
