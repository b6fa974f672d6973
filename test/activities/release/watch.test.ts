import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Deps } from '../../../activities/deps';
import type { Member, Service } from '../../../activities/ports';
import { releaseWatch, type Watched, type Watching } from '../../../activities/release/watch';
import type { Finding } from '../../../core/run';
import { nodesOf } from '../../../core/topology';
import { environmentFile } from '../../../sandbox/environment';
import { DEFAULTS } from '../../../sandbox/settings';

/** What the watch makes of what it sees; the systems say what each test lays down. The real ones are in test/e2e/alone/deploy.test.ts. */
const config = environmentFile(DEFAULTS);
const region = 'us-east-1';
const all = nodesOf(config, region).filter(({ spare }) => !spare);
const fresh = all.filter(({ name }) => name === 'n1').map(({ id }) => id);
const WELL: Service = { perS: 10, errors: 0, p99Ms: 20 };
const SICK: Service = { ...WELL, errors: 0.5 };

/** The nodes that do not answer, what is measured of those with the release at each look, and of the others. */
let silent: string[];
let measured: Service[];
let asked: string[][];

beforeEach(() => {
  silent = [];
  measured = [WELL];
  asked = [];
});

const deps = {
  config,
  prober: {
    health: async (address: string) => {
      const node = all.find((one) => one.address === address)!;
      return silent.includes(node.id)
        ? { ok: false, said: 'connection refused', ms: 1 }
        : { ok: true, said: '200 ready', ms: 1 };
    },
  },
  metrics: {
    service: async (nodes: readonly string[]) => {
      asked.push([...nodes]);
      if (!nodes.includes(fresh[0]!)) return WELL;
      return measured.length > 1 ? measured.shift()! : measured[0]!;
    },
  },
  region: () => ({
    loadBalancer: {
      members: async (): Promise<Member[]> =>
        all.map(({ server, address }) => ({
          server,
          address,
          admin: 'ready',
          up: true,
          weight: 100,
          current: 0,
        })),
    },
  }),
} as unknown as Deps;

function watch(more: Partial<Watching> = {}, on: Partial<Deps> = {}): Promise<Finding<Watched>> {
  const ask = { region, version: '1.1.0', nodes: fresh, period: '0s', rescued: [], ...more };
  const environment = new MockActivityEnvironment(undefined, {
    logger: new DefaultLogger('ERROR', () => undefined),
  });
  return environment.run(
    (watching: Watching) => releaseWatch({ ...deps, ...on }).watchRelease(watching),
    ask,
  );
}

it('compares the nodes with the release to the others of the region', async () => {
  const { sentence, value } = await watch();
  expect(sentence).toBe('3 nodes with 1.1.0 were well for 0s: 0 % failed, P99 20 ms');
  expect(value).toMatchObject({ fresh: WELL, old: WELL });
  expect(asked[0]).toEqual(fresh);
  expect(asked[1]).toEqual(expect.not.arrayContaining(fresh));
});

it('one look that speaks against it may be chance, and is looked at again before it is let go', async () => {
  measured = [SICK, WELL];
  expect((await watch()).value.fresh).toEqual(WELL);
});

it('two in a row may not', async () => {
  measured = [SICK];
  await expect(watch({ period: '10s' })).rejects.toMatchObject({
    code: 'RELEASE_UNFIT',
    message: '1.1.0 does not hold: 50 % of its calls fail, against 0 % before; 1 % may',
  });
});

it('a node that is down keeps it from being let go, but is left to its rescue', async () => {
  silent = [fresh[0]!];
  setTimeout(() => (silent = []), 700);
  const began = Date.now();
  await watch();
  expect(Date.now() - began).toBeGreaterThan(600);
});

it('a second rescue of its nodes speaks against it, one does not', async () => {
  await watch({ rescued: [`node/${fresh[0]}`] });
  await expect(watch({ rescued: [`node/${fresh[0]}`, `node/${fresh[0]}`] })).rejects.toMatchObject({
    code: 'RELEASE_UNFIT',
    message: `1.1.0 does not hold: node/${fresh[0]}, node/${fresh[0]} had to be rescued with it`,
  });
});

it('where nobody measures, health alone decides, and that is said', async () => {
  const { sentence } = await watch({}, { metrics: undefined });
  expect(sentence).toBe('3 nodes with 1.1.0 were well for 0s: nobody measures their calls');
});
