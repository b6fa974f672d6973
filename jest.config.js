/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }] },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  testTimeout: 60_000,
  // Most of their time the tests wait for processes; jest alone would leave one core of two unused.
  maxWorkers: Math.max(2, require('node:os').availableParallelism() - 1),
};
