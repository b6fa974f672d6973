import {
  ConfigSchema,
  type Config,
  type DatabaseConfig,
  type DnsConfig,
  type SentinelConfig,
} from '../../core/config';
import { describe as inWords, problems } from '../../core/schema';
import { environmentFile } from '../../sandbox/environment';
import { DEFAULTS } from '../../sandbox/settings';

/** What is wrong with the sandbox's environment file once its database is changed so. */
function wrongWith(change: (database: DatabaseConfig) => object | undefined): string {
  const config: Config = environmentFile(DEFAULTS);
  return inWords(problems(ConfigSchema, { ...config, database: change(config.database!) }));
}

describe('the database in the environment file', () => {
  test('may be left out', () => {
    expect(problems(ConfigSchema, environmentFile({ ...DEFAULTS, database: false }))).toEqual([]);
    expect(wrongWith((database) => database)).toBe('');
  });

  test.each<[string, (database: DatabaseConfig) => object]>([
    ['database.kind', (database) => ({ ...database, kind: 'oracle' })],
    ['database.url', (database) => ({ ...database, url: 'somewhere' })],
    ['database.etcd', (database) => ({ ...database, etcd: {} })],
    ['database.scope', (database) => ({ ...database, scope: 'Main cluster' })],
    ['database.members', ({ members, ...rest }) => ({ ...rest, members: { d1: members['d1'] } })],
    [
      'database.members.d1.rest',
      ({ members, ...rest }) => ({
        ...rest,
        members: { ...members, d1: { ...members['d1'], rest: '8008' } },
      }),
    ],
    [
      'database.postgres.password',
      ({ postgres, ...rest }) => ({ ...rest, postgres: { ...postgres, password: 'hunter2' } }),
    ],
    ['database.patroni', (database) => ({ ...database, patroni: undefined })],
  ])('%s: a wrong one is named', (field, change) => {
    expect(wrongWith(change)).toContain(field);
  });
});

describe('the session store under Sentinel in the environment file', () => {
  /** What is wrong with the sandbox's environment file once its Sentinels are changed so. */
  const wrong = (change: (sentinel: SentinelConfig) => object): string => {
    const { sessions, ...config } = environmentFile(DEFAULTS);
    const sentinel = change(sessions.sentinel!);
    return inWords(problems(ConfigSchema, { ...config, sessions: { ...sessions, sentinel } }));
  };

  test('may be one Redis alone', () => {
    expect(problems(ConfigSchema, environmentFile({ ...DEFAULTS, sentinel: false }))).toEqual([]);
    expect(wrong((sentinel) => sentinel)).toBe('');
  });

  test.each<[string, (sentinel: SentinelConfig) => object]>([
    ['sessions.sentinel.name', (sentinel) => ({ ...sentinel, name: 'My master' })],
    ['sessions.sentinel.members', ({ members, ...rest }) => ({ ...rest, members: { m1: members['m1'] } })],
    [
      'sessions.sentinel.members.m1',
      ({ members, ...rest }) => ({ ...rest, members: { ...members, m1: '6379' } }),
    ],
    [
      'sessions.sentinel.sentinels',
      ({ sentinels: { s1, s2 }, ...rest }) => ({ ...rest, sentinels: { s1, s2 } }),
    ],
    ['sessions.sentinel.password', (sentinel) => ({ ...sentinel, password: 'hunter2' })],
    ['sessions.sentinel.quorum', (sentinel) => ({ ...sentinel, quorum: 0 })],
    ['sessions.sentinel.downAfter', (sentinel) => ({ ...sentinel, downAfter: 5_000 })],
    ['sessions.sentinel.fleet', (sentinel) => ({ ...sentinel, fleet: undefined })],
  ])('%s: a wrong one is named', (field, change) => {
    expect(wrong(change)).toContain(field);
  });
});

describe('the name of the fleet in the environment file', () => {
  /** What is wrong with the sandbox's environment file once its DNS is changed so. */
  const wrong = (change: (dns: DnsConfig) => object): string => {
    const { dns, ...config } = environmentFile(DEFAULTS);
    return inWords(problems(ConfigSchema, { ...config, dns: change(dns!) }));
  };

  test('may be left out, and so may what the SDK finds by itself', () => {
    expect(problems(ConfigSchema, environmentFile({ ...DEFAULTS, dns: false }))).toEqual([]);
    expect(wrong((dns) => dns)).toBe('');
    const { kind, zone, name, ttl, nameservers } = environmentFile(DEFAULTS).dns!;
    expect(wrong(() => ({ kind, zone, name, ttl, nameservers }))).toBe('');
  });

  test.each<[string, (dns: DnsConfig) => object]>([
    ['dns.kind', (dns) => ({ ...dns, kind: 'bind' })],
    ['dns.endpoint', (dns) => ({ ...dns, endpoint: 'somewhere' })],
    ['dns.zone', (dns) => ({ ...dns, zone: '' })],
    ['dns.name', (dns) => ({ ...dns, name: 'the fleet' })],
    ['dns.ttl', (dns) => ({ ...dns, ttl: 30 })],
    ['dns.nameservers', (dns) => ({ ...dns, nameservers: [] })],
    ['dns.nameservers.0', (dns) => ({ ...dns, nameservers: ['127.0.0.23'] })],
    ['dns.secretAccessKey', (dns) => ({ ...dns, secretAccessKey: 'hunter2' })],
  ])('%s: a wrong one is named', (field, change) => {
    expect(wrong(change)).toContain(field);
  });
});

describe('readiness in the environment file', () => {
  const wrong = (readiness: object): string =>
    inWords(problems(ConfigSchema, { ...environmentFile(DEFAULTS), readiness }));

  test.each(['5m', '300s', '30s', '200ms'])('may be evaluated every %s', (every) =>
    expect(wrong({ every })).toBe(''),
  );
  test.each(['6m', '301s', '1h', '5'])('is not evaluated as seldom as every %s', (every) =>
    expect(wrong({ every })).toContain('a duration of at most 5m between two looks'),
  );
});
