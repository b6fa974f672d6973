import { readFileSync, readdirSync } from 'node:fs';
import { parse } from 'yaml';
import { matchAlert, objectiveOf, scopeOf, workflowType, type Runbook } from '../../core/runbook';
import { checkRequest, runbookProblems } from '../../core/runbook-schema';
import * as workflows from '../../workflows';

const files = readdirSync('runbooks').filter((file) => file.endsWith('.yaml'));
const catalogue = files.map((file) => parse(readFileSync(`runbooks/${file}`, 'utf8')) as Runbook);
const nodeFailover = catalogue.find(({ id }) => id === 'node-failover')!;

describe('the catalogue', () => {
  it.each(catalogue.map((runbook) => [runbook.id, runbook] as const))('%s is well declared', (_, runbook) => {
    expect(runbookProblems(runbook)).toEqual([]);
  });

  it('and the startable workflows are the same', () => {
    const entities = [
      'bookkeeper',
      'coordinator',
      'monitor',
      'readiness',
      'scheduledRun',
      'timekeeper',
      'wayMonitor',
    ];
    expect(Object.keys(workflows).sort()).toEqual(
      [...catalogue.map(({ id }) => workflowType(id)), ...entities].sort(),
    );
  });

  it.each([
    ['a missing field', { ...nodeFailover, risk: undefined }, 'risk'],
    ['an unknown field', { ...nodeFailover, rsik: 'low' }, 'rsik'],
    ['a risk that is none', { ...nodeFailover, risk: 'tiny' }, 'risk'],
    ['an example that does not fit its own input', { ...nodeFailover, example: { node: 7 } }, 'example.node'],
    [
      'an alert that fills an unknown input',
      { ...nodeFailover, alerts: [{ match: { a: 'b' }, input: { host: 'node' } }] },
      'input.properties.host',
    ],
  ])('names the field of %s', (_, candidate, path) => {
    const plain: unknown = JSON.parse(JSON.stringify(candidate));
    expect(runbookProblems(plain).map((problem) => problem.path)).toContain(path);
  });
});

it.each([
  ['its own', nodeFailover, { node: 'us-east-1/a/n1' }, 'node'],
  ['one for each level', catalogue.find(({ id }) => id === 'global-failover')!, { level: 2 }, 'dr-2'],
])('a run is measured against %s', (_, runbook, input, objective) =>
  expect(objectiveOf(runbook, input)).toBe(objective),
);

it('names an input that is none and is to be part of an objective', () => {
  const candidate = { ...nodeFailover, objectiveInput: 'level' };
  expect(runbookProblems(candidate).map(({ path }) => path)).toEqual(['input.properties.level']);
});

describe('a request', () => {
  it.each([
    [undefined, 'input: is missing'],
    [{}, 'input: is missing'],
    ['text', '(top level): must be object'],
    [{ input: {} }, 'input.node: is missing (for example "us-east-1/a/n1")'],
    [{ input: { node: 'n1' } }, 'input.node: must match pattern'],
    [{ input: { node: 'us-east-1/a/n1', force: true } }, 'input.force: is not a known field; known are node'],
    [
      { input: { node: 'us-east-1/a/n1' }, mode: 'dry' },
      'mode: must be one of plan, execute, drill, not "dry"',
    ],
    [{ input: { node: 'us-east-1/a/n1' }, lockHeld: true }, 'lockHeld: is not a known field'],
  ])('%j is refused: %s', (request, sentence) => {
    expect(() => checkRequest(nodeFailover, request)).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining(sentence) }),
    );
  });

  it('that fits is returned as it is', () => {
    const request = { input: { node: 'us-east-1/a/n1' }, mode: 'plan' };
    expect(checkRequest(nodeFailover, request)).toBe(request);
    expect(scopeOf(nodeFailover, request.input)).toBe('node/us-east-1/a/n1');
  });
});

it('a place of any kind is locked as what it is', () => {
  const migration = catalogue.find(({ id }) => id === 'session-migration')!;
  const scope = (from: string): string => scopeOf(migration, { from, to: 'eu-central-1' });
  expect([scope('us-east-1'), scope('us-east-1/a/n1')]).toEqual(['region/us-east-1', 'node/us-east-1/a/n1']);
});

it('where the place may be left out, that means all of them', () => {
  const deploy = catalogue.find(({ id }) => id === 'rolling-deploy')!;
  expect(scopeOf(deploy, { version: '1.1.0' })).toBe('global');
  expect(scopeOf(deploy, { version: '1.1.0', region: 'us-east-1' })).toBe('region/us-east-1');
  expect(scopeOf(nodeFailover, {})).toBe('node/undefined'); // what is no request is refused later, with its field
});

it('a system of which there is one is locked as main', () => {
  const failover = catalogue.find(({ id }) => id === 'registry-failover')!;
  expect(scopeOf(failover, {})).toBe('registry/main');
  expect(scopeOf({ ...failover, scope: { kind: 'global' } }, {})).toBe('global');
});

describe('an alert', () => {
  it('finds its runbook and fills its input from labels', () => {
    const match = matchAlert(catalogue, {
      alertname: 'NodeDown',
      node: 'us-east-1/a/n1',
      severity: 'critical',
    });
    expect(match).toMatchObject({ runbook: { id: 'node-failover' }, input: { node: 'us-east-1/a/n1' } });
  });

  it('of a zone names it with its region', () => {
    const labels = { alertname: 'ZoneDown', region: 'us-east-1', zone: 'us-east-1/a' };
    const match = matchAlert(catalogue, labels);
    expect(match).toMatchObject({ runbook: { id: 'zone-failover' }, input: { zone: 'us-east-1/a' } });
  });

  it('needs no labels where the runbook needs no input', () => {
    const match = matchAlert(catalogue, { alertname: 'RegistryDown' });
    expect(match).toMatchObject({ runbook: { id: 'registry-failover' }, input: {} });
  });

  it('that nothing answers finds none', () =>
    expect(matchAlert(catalogue, { alertname: 'DiskFull' })).toBeNull());
});
