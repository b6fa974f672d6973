import { judgeAnswers, weightsOf } from '../dns';
import { serving, whyNot } from '../guards';
import { regionConfig, nodesOf, type Node } from '../topology';
import { shareOut, type Receiver } from '../traffic';
import { about, few, notReady, unknown, warning, type Asked, type Rule } from './shortfall';
import type { PoolSeen, Shortfall } from './types';

/** Rules about nodes, zones and regions. What a guard would refuse tonight is asked of the same guard now. */

const MEND_BALANCER = 'see that it runs and that its runtime API is reached from the workers';
const MEND_SUPERVISOR =
  'see that the supervisor runs, and compare its address and password with the environment file';

/** Every load balancer answers, takes our commands, and has somebody who serves. */
export const balancers: Rule = (asked) =>
  eachRegion(asked, (region, { pool, rights }) => {
    const name = `the load balancer of ${region}`;
    return [
      ...about(name, pool, MEND_BALANCER, ({ members }) => [
        ...(serving(members).length === 0
          ? [
              notReady(
                `no node of ${region} serves`,
                `bring its nodes back: \`./switchover run cluster-formation --set region=${region}\``,
              ),
            ]
          : []),
        ...unlisted(asked, region, members),
      ]),
      ...('value' in rights && rights.value !== null
        ? [notReady(`${name} lets us only look: ${rights.value}`, 'give its runtime API `level admin`')]
        : []),
    ];
  });

function unlisted({ config }: Asked, region: string, members: PoolSeen['members']): Shortfall[] {
  const known = new Set(members.map(({ server }) => server));
  const strangers = nodesOf(config, region).filter(({ spare, server }) => !spare && !known.has(server));
  if (strangers.length === 0) return [];
  const ids = strangers.map(({ id }) => id);
  return [
    warning(
      `the load balancer of ${region} does not know ${few(ids)}`,
      `put ${ids.length === 1 ? 'it' : 'them'} back: \`./switchover run add-node --set node=${ids[0]}\`, or take ${ids.length === 1 ? 'it' : 'them'} out of the environment file`,
    ),
  ];
}

/** Every supervisor answers to our password and knows the programs of its nodes. */
export const supervisors: Rule = (asked) =>
  eachRegion(asked, (region, { programs }) =>
    about(`the supervisor of ${region}`, programs, MEND_SUPERVISOR, (known) => {
      const missing = nodesOf(asked.config, region).filter(({ program }) => !known.includes(program));
      if (missing.length === 0) return [];
      return [
        notReady(
          `the supervisor of ${region} has no program for ${few(missing.map(({ id }) => id))}`,
          `configure ${few(missing.map(({ program }) => program))} there, or take the node out of the environment file`,
        ),
      ];
    }),
  );

/** Who owns sessions can be asked and told. */
export const sessions: Rule = ({ seen }) =>
  about(
    'the session store',
    seen.sessions,
    'see that it answers at `sessions.url`; where its primary has failed: `./switchover run redis-failover`',
    () => [],
  );

/** A node that fails tonight could be taken out, whichever it is. */
export const nodeHeadroom: Rule = (asked) =>
  eachPool(asked, (region, { members }) => {
    const { minimumHealthyShare: minimumShare } = asked.config.policies;
    const refused = serving(members).flatMap(
      ({ server }) => whyNot('take out', { pool: region, server, members, minimumShare }) ?? [],
    );
    return firstOf(
      refused.map(({ sentence }) => sentence),
      `bring more nodes of ${region} into service, for example \`./switchover run add-node\` with a spare`,
    );
  });

/** A zone that fails tonight could be left, whichever it is: the others bear the measured peak. */
export const zoneHeadroom: Rule = (asked) =>
  eachPool(asked, (region, { members, peakPerS }) => {
    const { minimumHealthyShare: minimumShare, nodeCapacity: memberCapacity } = asked.config.policies;
    const zones = Object.keys(regionConfig(asked.config, region).zones);
    if (peakPerS === null)
      return [
        unknown(
          `the peak of ${region} is not known, nor whether the rest bears it`,
          'let its load balancer measure it',
        ),
      ];
    const refused = zones.flatMap((name) => {
      const servers = nodesOf(asked.config, region)
        .filter(({ zone }) => zone === name)
        .map(({ server }) => server);
      const zone = `${region}/${name}`;
      const ask = { pool: region, zone, servers, members, minimumShare, peakPerS, memberCapacity };
      return whyNot('take out zone', ask) ?? [];
    });
    return firstOf(
      refused.map(({ sentence }) => sentence),
      `bring more nodes into service in the other zones of ${region}: \`./switchover run add-node\``,
    );
  });

/** A zone that has spares has one left that could take a dead node's place. */
export const spares: Rule = (asked) =>
  eachPool(asked, (region, { members }) => {
    const inUse = new Set(members.map(({ server }) => server));
    const all = nodesOf(asked.config, region).filter(({ spare }) => spare);
    const zones = [...new Set(all.map(({ zone }) => zone))];
    const without = zones.filter((name) => isSpent(all, name, inUse));
    if (without.length === 0) return [];
    const where = without.map((name) => `${region}/${name}`);
    return [
      warning(
        `every spare of ${few(where)} is in service: a node there that does not come back cannot be replaced`,
        'add spares to the environment file, or take nodes that are no longer needed out of service',
      ),
    ];
  });

function isSpent(all: readonly Node[], zone: string, inUse: ReadonlySet<string>): boolean {
  return all.filter((node) => node.zone === zone).every(({ server }) => inUse.has(server));
}

/** A region that fails tonight could be left: others serve, and bear its traffic as well as can be. */
export const regionHeadroom: Rule = (asked) => regionsLeft(asked, false);

/** A region that is well could be left by plan: others bear its traffic at the measured peak. */
export const evacuationHeadroom: Rule = (asked) => regionsLeft(asked, true);

function regionsLeft(asked: Asked, planned: boolean): Shortfall[] {
  const { config } = asked;
  const all = Object.keys(config.regions).filter((region) => config.regions[region]!.role === 'active');
  const todo = 'bring more nodes into service in the other regions, or let them take less by `failover`';
  return all.flatMap((region) => {
    // Of a load balancer that nobody sees the rule about load balancers tells.
    if (all.some((other) => other !== region && !('value' in asked.seen.regions[other]!.pool))) return [];
    const others = receiversOf(asked, region, all);
    const share = shareOut({
      leaving: { regions: [region], weight: weightOf(asked, region) },
      receivers: others,
      preferred: config.regions[region]!.failover,
      nodeCapacity: config.policies.nodeCapacity,
    });
    const { strained } = share;
    const receivers = others.filter((one) => one.serving > 0).map((one) => one.region);
    const refusal = whyNot('leave region', { region, doubt: undefined, receivers, strained, planned });
    if (refusal) return [notReady(refusal.sentence, todo)];
    if (!others.some(({ weight, peakPerS }) => weight > 0 && peakPerS !== null))
      return [
        unknown(
          `whether others bear the traffic of ${region} is not known: ${share.said}`,
          'let a load balancer measure its peak',
        ),
      ];
    return strained.length === 0
      ? []
      : [
          warning(
            `without ${region}, ${few(strained)} would be short of nodes at the measured peak (${share.said})`,
            todo,
          ),
        ];
  });
}

/** The share of the world that is led to a region now; by plan, where nobody could look. */
function weightOf({ seen, config }: Asked, region: string): number {
  const led = seen.dns && 'value' in seen.dns ? weightsOf(seen.dns.value.view) : undefined;
  return led?.[region] ?? config.regions[region]!.weight;
}

function receiversOf(asked: Asked, leaving: string, all: readonly string[]): Receiver[] {
  return all.flatMap((region) => {
    if (region === leaving) return [];
    const pool = asked.seen.regions[region]?.pool;
    const { members, peakPerS } = pool && 'value' in pool ? pool.value : { members: [], peakPerS: null };
    const known = new Set(members.map(({ server }) => server));
    const free = nodesOf(asked.config, region).filter(({ spare, server }) => spare && !known.has(server));
    const weight = weightOf(asked, region);
    const ids = members.length > 0 ? free.map(({ id }) => id) : [];
    return [{ region, weight, serving: serving(members).length, spares: ids, peakPerS }];
  });
}

/** Where a load balancer has a second one, both are known to its supervisor. */
export const secondBalancers: Rule = (asked) =>
  eachRegion(asked, (region, { programs }) => {
    const wanted = regionConfig(asked.config, region).loadBalancer.programs;
    if (!wanted)
      return [
        warning(
          `${region} has no second load balancer`,
          `name the programs that can be its load balancer: regions.${region}.loadBalancer.programs`,
        ),
      ];
    return about(`the supervisor of ${region}`, programs, MEND_SUPERVISOR, (known) => {
      const missing = wanted.filter((program) => !known.includes(program));
      return missing.length === 0
        ? []
        : [
            notReady(
              `the supervisor of ${region} does not know ${few(missing)}`,
              'configure it there, or correct loadBalancer.programs',
            ),
          ];
    });
  });

/** The name leads to every region, and every nameserver answers so. */
export const name: Rule = ({ seen, config }) => {
  const todo = 'compare hosted zone, record sets, keys and permissions with `dns` of the environment file';
  return about('the DNS service', seen.dns ?? { said: 'nobody looked' }, todo, ({ view, answers }) => {
    const led = new Set(view.records.map(({ region }) => region));
    const missing = Object.keys(config.regions).filter((region) => !led.has(region));
    const answered = judgeAnswers(view, answers);
    return [
      ...(missing.length > 0
        ? [
            notReady(
              `${view.name} has no record set for ${few(missing)}`,
              'make it, weighted, with the region as its set identifier; weight 0 leads nobody there',
            ),
          ]
        : []),
      ...(answered.ok
        ? []
        : [
            warning(
              `the nameservers do not all answer ${view.name} as its zone says: ${answered.said}`,
              'ask them by hand, and see that `dns.nameservers` names those of the zone',
            ),
          ]),
    ];
  });
};

/** One sentence for several refusals of one kind, so that a region is one line. */
function firstOf(refusals: readonly string[], todo: string): Shortfall[] {
  const [first, ...more] = refusals;
  if (first === undefined) return [];
  return [notReady(more.length > 0 ? `${first}; so do ${more.length} more` : first, todo)];
}

function eachRegion(
  { seen }: Asked,
  rule: (region: string, seen: Asked['seen']['regions'][string]) => Shortfall[],
): Shortfall[] {
  return Object.entries(seen.regions).flatMap(([region, of]) => rule(region, of));
}

/** Pools that could be seen; of those that could not, {@link balancers} tells. */
function eachPool(asked: Asked, rule: (region: string, pool: PoolSeen) => Shortfall[]): Shortfall[] {
  return eachRegion(asked, (region, { pool }) => ('value' in pool ? rule(region, pool.value) : []));
}
