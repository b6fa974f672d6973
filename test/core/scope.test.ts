import {
  contains,
  liesIn,
  parents,
  parseNode,
  parseScope,
  regionOf,
  scopeOfLabels,
  scopeOfPlace,
} from '../../core/scope';

it.each([
  ['global', { kind: 'global', path: [] }],
  ['region/us-east-1', { kind: 'region', path: ['us-east-1'] }],
  ['node/us-east-1/a/n1', { kind: 'node', path: ['us-east-1', 'a', 'n1'] }],
  ['node/us-east-1/a', null],
  ['node/us-east-1//n1', null],
  ['planet/earth', null],
  ['constructor', null],
  ['', null],
])('reads the scope "%s"', (text, scope) => expect(parseScope(text)).toEqual(scope));

it.each([
  ['global', 'node/us-east-1/a/n1', true],
  ['region/us-east-1', 'zone/us-east-1/a', true],
  ['zone/us-east-1/a', 'zone/us-east-1/a', true],
  ['zone/us-east-1/a', 'region/us-east-1', false],
  ['region/us-east-1', 'region/us-east-10', false],
  ['zone/us-east-1/a', 'node/us-east-1/b/n1', false],
  ['database/main', 'members/main', true],
])('%s contains %s: %s', (outer, inner, expected) => expect(contains(outer, inner)).toBe(expected));

it.each<[Record<string, string>, string | undefined]>([
  [{ node: 'us-east-1/a/n1', zone: 'us-east-1/a', region: 'us-east-1' }, 'node/us-east-1/a/n1'],
  [{ node: '10.0.0.1:9100', region: 'us-east-1' }, 'region/us-east-1'],
  [{ zone: 'us-east-1/a' }, 'zone/us-east-1/a'],
  [{ alertname: 'DiskFull' }, undefined],
])('labels %j name %s', (labels, expected) => expect(scopeOfLabels(labels)).toBe(expected));

it.each([
  ['node/us-east-1/a/n1', ['zone/us-east-1/a', 'region/us-east-1', 'global']],
  ['region/us-east-1', ['global']],
  ['lb/us-east-1', ['region/us-east-1', 'global']],
  ['database/main', ['global']],
  ['global', []],
  ['planet/earth', []],
])('around %s are %j', (scope, expected) => expect(parents(scope)).toEqual(expected));

it('takes a node id apart, or says it is none', () => {
  expect(parseNode('us-east-1/a/n1')).toEqual({ region: 'us-east-1', zone: 'a', name: 'n1' });
  expect(parseNode('us-east-1/a')).toBeNull();
  expect(regionOf('zone/us-east-1/a')).toBe('us-east-1');
  expect(regionOf('global')).toBeUndefined();
});

it.each([
  ['us-east-1', 'region/us-east-1'],
  ['us-east-1/a', 'zone/us-east-1/a'],
  ['us-east-1/a/n1', 'node/us-east-1/a/n1'],
])('the scope of %s is %s', (path, scope) => expect(scopeOfPlace(path)).toBe(scope));

it.each([
  ['us-east-1/a/n1', true],
  ['us-east-1/a', true],
  ['us-east-1', true],
  ['us-east-10', false],
  ['us-east-1/b', false],
])('us-east-1/a/n1 lies in %s: %s', (place, expected) =>
  expect(liesIn('us-east-1/a/n1', place)).toBe(expected),
);
