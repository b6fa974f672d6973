import { contains, parseNode, parseScope, regionOf } from '../../core/scope';

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
])('%s contains %s: %s', (outer, inner, expected) => expect(contains(outer, inner)).toBe(expected));

it('takes a node id apart, or says it is none', () => {
  expect(parseNode('us-east-1/a/n1')).toEqual({ region: 'us-east-1', zone: 'a', name: 'n1' });
  expect(parseNode('us-east-1/a')).toBeNull();
  expect(regionOf('zone/us-east-1/a')).toBe('us-east-1');
  expect(regionOf('global')).toBeUndefined();
});
