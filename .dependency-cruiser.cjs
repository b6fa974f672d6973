// The directions of DESIGN, one rule each: `from` may not import `to`.
//
// TypeScript 7 has no JavaScript API, so the sources are read by swc, which does not tell `import type` from `import`. A
// rule here counts both. That workflows take *types* only from activities is kept by the bundler and by oxlint.

const ours = '^(core|operations|workflows|activities|workers|server|cli|sandbox|bench|test)/';

/** What the outside of a workflow may know of it: how to address it, not how it works. */
const messages = ['workflows/messages', 'workflows/attributes'];

/** A layer may import itself, `allowed` layers, and packages; nothing else of ours. */
function layer(name, allowed, comment) {
  return {
    name: `${name}-imports`,
    comment,
    severity: 'error',
    from: { path: `^${name}/` },
    to: { path: ours, pathNot: [`${name}/`, ...allowed].map((path) => `^${path}`) },
  };
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    layer('core', [], 'core is pure: it imports nothing of ours.'),
    layer('workflows', ['core/', 'activities/'], 'Workflows see core, and the types of activities.'),
    layer('operations', ['core/', ...messages], 'Operations on runs need the messages, not the workflows.'),
    layer('activities', ['core/', 'operations/', ...messages], 'Activities know no process around them.'),
    layer(
      'workers',
      ['core/', 'operations/', 'workflows/', 'activities/'],
      'A worker runs workflows and activities.',
    ),
    layer(
      'server',
      ['core/', 'operations/', ...messages],
      'The server talks to Temporal through operations.',
    ),
    layer(
      'cli',
      ['core/', 'operations/', ...messages, 'sandbox/', 'server/', 'workers/'],
      'The command line starts every process.',
    ),
    layer(
      'sandbox',
      ['core/', 'operations/', ...messages],
      'The sandbox stands beside the product, not on it.',
    ),
    {
      name: 'deterministic-code-has-no-node',
      comment: 'core and workflows run inside the workflow sandbox, which has no Node built-ins.',
      severity: 'error',
      from: { path: '^(core|workflows)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'one-place-composes-adapters',
      comment:
        'Adapters meet where a worker composes its activities; everybody else but tests and benchmarks sees interfaces.',
      severity: 'error',
      from: { path: ours, pathNot: '^(activities/(create|adapters/)|workers/|test/|bench/)' },
      to: { path: '^activities/adapters/' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or three.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'A misspelt or missing module.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared',
      comment: 'A package that another one happens to bring: list it in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-packages-in-the-product',
      comment: 'An installation without devDependencies must run.',
      severity: 'error',
      from: { path: '^(core|operations|workflows|activities|workers|server|cli)/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    parser: 'swc',
    exclude: { path: '^(node_modules|dist|coverage|\\.[^/]+)/' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.d.ts', '.js', '.mjs', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['node', 'require', 'import', 'default', 'types'],
    },
  },
};
