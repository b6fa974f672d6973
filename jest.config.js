/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }] },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  // Conditions have limits of their own; this ends what hangs, on a machine that is busy with others.
  testTimeout: 240_000,
  testSequencer: '<rootDir>/test/harness/sequencer.js',
  // A fleet under load takes a core: with more of them at once their nodes would look sick.
  maxWorkers: Math.max(2, require('node:os').availableParallelism() - 1),
};
