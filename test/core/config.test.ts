import { ConfigSchema, type Config, type DatabaseConfig } from '../../core/config';
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
    ['database.etcd', (database) => ({ ...database, etcd: [] })],
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
