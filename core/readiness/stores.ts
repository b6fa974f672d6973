import { archiveTrouble, newestOf, REPOSITORIES } from '../backup';
import { follows as followsCache, mostAhead, primaryOf as primaryOfCache } from '../cache';
import { compareSuccessor, follows, judgeDatabase, type DatabaseView } from '../database';
import { whyNot } from '../guards';
import { roughly } from '../elapsed';
import { databaseProgram, registryProgram, sessionsProgram } from '../topology';
import { settingsOf } from './settings';
import { about, few, notReady, warning, type Asked, type Rule } from './shortfall';
import type { RegistryMemberSeen, Shortfall } from './types';

/** Rules about the stores, their standbys and their backups: if the primary failed now, would somebody be let take over? */

const NOBODY = { said: 'nobody looked' };
const MEND_SUPERVISOR =
  'see that its supervisor runs, and compare address, password and programs with the environment file';

export const databaseSuccessor: Rule = (asked) => [
  ...database(asked, (view) => {
    const { primary, candidate, said } = judgeDatabase(view);
    if (primary === undefined)
      return [
        notReady(said, 'find out who the primary is: `./switchover run database-failover --mode plan`'),
      ];
    const writable = view.members.filter(({ member, postgres }) => member !== primary && postgres?.writable);
    const refusal = whyNot('take over database', {
      primary,
      candidate,
      synchronous: view.synchronous,
      writable: writable.map(({ member }) => member),
      control: view.leader !== undefined,
    });
    return [
      ...(refusal
        ? [notReady(refusal.sentence, 'bring its standbys back: `./switchover run partition-response`')]
        : []),
      ...apart(view, primary),
      ...behind(asked, view, primary),
    ];
  }),
  ...databaseMachines(asked),
];

/** The standby that a planned change of roles would choose may take over. */
export const databaseSwitch: Rule = (asked) =>
  database(asked, (view) => {
    const { primary, candidate, said } = judgeDatabase(view);
    if (primary === undefined)
      return [
        notReady(said, 'find out who the primary is: `./switchover run database-failover --mode plan`'),
      ];
    const {
      follows: does = false,
      synchronous = false,
      smaller = [],
      lagBytes,
    } = candidate ? compareSuccessor(view, primary, candidate) : {};
    const refusal = whyNot('switch database', {
      primary,
      candidate,
      well: view.clients.ok,
      follows: does,
      synchronous: { cluster: view.synchronous, candidate: synchronous },
      lagBytes,
      smaller,
    });
    return refusal
      ? [notReady(refusal.sentence, 'bring its standbys back: `./switchover run partition-response`')]
      : [];
  });

/** A member that leaves its primary can be fenced and brought back. */
export const databaseMembers: Rule = (asked) => [
  ...database(asked, (view) => {
    const { primary, said } = judgeDatabase(view);
    if (!view.clients.ok || primary === undefined)
      return [notReady(said, 'make somebody the primary: `./switchover run database-failover`')];
    return [];
  }),
  ...databaseMachines(asked),
];

/** Every server of the control plane answers. */
export const controlPlane: Rule = ({ seen }) =>
  about('the control plane', seen.database?.control ?? NOBODY, 'see that etcd runs', (servers) => {
    const silent = servers.filter(({ ok }) => !ok).map(({ server, said }) => `${server} (${said})`);
    return silent.length === 0
      ? []
      : [
          notReady(
            `of the database's control plane ${few(silent)} does not answer`,
            'start it: `./switchover run control-plane-restart`',
          ),
        ];
  });

function database({ seen }: Asked, rule: (view: DatabaseView) => Shortfall[]): Shortfall[] {
  const todo = 'compare `database` of the environment file with the members, and its passwords';
  return about('the database', seen.database?.view ?? NOBODY, todo, rule);
}

/** Standbys that do not follow: one fewer to take over. */
function apart(view: DatabaseView, primary: string): Shortfall[] {
  const lost = view.members.filter(({ member }) => member !== primary && !follows(view, member));
  if (lost.length === 0 || view.leader !== primary) return [];
  return [
    warning(
      `${few(lost.map(({ member, said }) => `${member} (${said})`))} does not follow ${primary}`,
      'bring it back: `./switchover run partition-response`',
    ),
  ];
}

/** Standbys that follow, too far behind. */
function behind({ config }: Asked, view: DatabaseView, primary: string): Shortfall[] {
  const { lagBytes: most } = settingsOf(config);
  const late = view.members.flatMap(({ member }) => {
    const { lagBytes = 0 } =
      member === primary || !follows(view, member) ? {} : compareSuccessor(view, primary, member);
    return lagBytes > most ? [`${member} ${megabytes(lagBytes)}`] : [];
  });
  if (late.length === 0) return [];
  return [
    warning(
      `standbys are behind ${primary}: ${few(late)}, more than ${megabytes(most)} (readiness.lagBytes)`,
      'find out what holds them up: their network, their disks, or a replay that waits for a query',
    ),
  ];
}

/** Whatever of it is down, its machines can be told to end it and to start it again. */
export const databaseMachines: Rule = ({ seen, config }) => {
  const { members = {}, etcd = {} } = config.database ?? {};
  const wanted = [...Object.keys(members), ...Object.keys(etcd)].map(databaseProgram);
  return programs('the database', seen.database?.programs ?? NOBODY, wanted);
};

function programs(
  what: string,
  looked: Parameters<typeof about<readonly string[]>>[1],
  wanted: string[],
): Shortfall[] {
  return about(`the supervisor of ${what}`, looked, MEND_SUPERVISOR, (known) => {
    const missing = wanted.filter((program) => !known.includes(program));
    return missing.length === 0
      ? []
      : [
          notReady(
            `the supervisor of ${what} does not know ${few(missing)}: it could not be fenced`,
            MEND_SUPERVISOR,
          ),
        ];
  });
}

/** A standby of the registry may be promoted. */
export const registryStandby: Rule = ({ seen, config }) => {
  const wanted = Object.keys(config.registry?.members ?? {}).map(registryProgram);
  const todo = 'bring its standby back, so that it follows the primary';
  return [
    ...about('the registry', seen.registry?.view ?? NOBODY, 'see that its members answer', (members) => {
      const best = bestStandby(members);
      const { member: standby, link } = best ?? {};
      const refusal = whyNot('promote standby', {
        standby,
        copying: link?.copying ?? false,
        silentS: link?.silentS,
      });
      return refusal ? [notReady(refusal.sentence, todo)] : [];
    }),
    ...programs('the registry', seen.registry?.programs ?? NOBODY, wanted),
  ];
};

function bestStandby(members: readonly RegistryMemberSeen[]): RegistryMemberSeen | undefined {
  return members
    .filter(({ role }) => role === 'standby')
    .toSorted((a, b) => (b.offset ?? 0) - (a.offset ?? 0))[0];
}

/** If the session store's primary failed, a standby would have every acknowledged write, and the Sentinels would agree. */
export const storeSuccessor: Rule = ({ seen, config }) => {
  const wanted = Object.keys(config.sessions.sentinel?.members ?? {}).map(sessionsProgram);
  const quorum = config.sessions.sentinel?.quorum ?? 0;
  return [
    ...about('the session store', seen.cache?.view ?? NOBODY, 'see that its members answer', (view) => {
      const primary = primaryOfCache(view);
      const others = view.members.filter(({ member }) => member !== primary);
      const refusal = whyNot('take over cache', {
        primary: primary ?? 'the primary',
        candidate: primary && mostAhead(view.members, primary)?.member,
        writable: others.filter(({ role }) => role === 'primary').map(({ member }) => member),
        silent: others.filter(({ reachable }) => !reachable).map(({ member }) => member),
      });
      const watching = view.sentinels.filter(
        (one) => primary !== undefined && one.primary === primary && !one.held,
      );
      return [
        ...(refusal
          ? [
              notReady(
                refusal.sentence,
                'bring its standbys back: `./switchover run redis-failover` does that too',
              ),
            ]
          : []),
        ...(watching.length < quorum
          ? [
              warning(
                `${watching.length} of ${view.sentinels.length} Sentinels watch ${primary ?? 'the primary'}, and ${quorum} have to agree`,
                'start those that do not run; `./switchover run redis-failover` lets those watch again that were held back',
              ),
            ]
          : []),
      ];
    }),
    ...programs('the session store', seen.cache?.programs ?? NOBODY, wanted),
  ];
};

/** Every member of the session store is with its primary, so that the role can be handed over by plan. */
export const storeSwitch: Rule = ({ seen }) =>
  about('the session store', seen.cache?.view ?? NOBODY, 'see that its members answer', (view) => {
    const primary = primaryOfCache(view);
    const absent = view.members.filter(
      (one) => one.member !== primary && (primary === undefined || !followsCache(one, primary)),
    );
    const [first] = view.members.filter(({ member }) => member !== primary);
    const refusal = whyNot('hand over cache', {
      primary,
      to: first?.member ?? 'nobody',
      absent: absent.map(({ member }) => member),
      follows: true,
    });
    return refusal ? [notReady(refusal.sentence, 'bring them back: `./switchover run redis-failover`')] : [];
  });

/** Backups can be taken: both repositories are well, and the log gets there. */
export const repositories: Rule = ({ seen }) =>
  about(
    'the backups',
    seen.backups ?? NOBODY,
    'see what `database-backups-near` and `-offsite` print last under their supervisor',
    (view) => {
      const trouble = archiveTrouble(view);
      return [
        ...REPOSITORIES.flatMap((repository) => {
          const said = view.trouble[repository];
          return said === undefined
            ? []
            : [
                notReady(
                  `the ${repository} repository is not well: ${said}`,
                  'see that it is reached, and what it says',
                ),
              ];
        }),
        ...(trouble === null
          ? []
          : [
              warning(
                trouble,
                "read the end of PostgreSQL's log on the primary: `archive_command` says why there",
              ),
            ]),
      ];
    },
  );

/** There is a backup to restore from, in both repositories, and it is young enough. */
export const backup: Rule = ({ seen, config }) =>
  about(
    'the backups',
    seen.backups ?? NOBODY,
    'see what `database-backups-near` and `-offsite` print last under their supervisor',
    (view) => {
      const { backupAgeMs } = settingsOf(config);
      const newest = REPOSITORIES.map((repository) => ({ repository, backup: newestOf(view, repository) }));
      const todo = 'take one now: `./switchover run backup-full`';
      if (newest.every((one) => !one.backup)) return [notReady('there is no backup in any repository', todo)];
      return newest.flatMap(({ repository, backup: found }) => {
        if (!found) return [warning(`there is no backup in the ${repository} repository`, todo)];
        const age = Date.parse(seen.at) - Date.parse(found.stoppedAt);
        return [
          ...(found.damaged
            ? [
                notReady(
                  `the newest backup in the ${repository} repository, ${found.label}, has damaged pages`,
                  todo,
                ),
              ]
            : []),
          ...(age > backupAgeMs
            ? [
                warning(
                  `the newest backup in the ${repository} repository is ${roughly(age)} old, more than ${roughly(backupAgeMs)} (readiness.backupAge)`,
                  todo,
                ),
              ]
            : []),
        ];
      });
    },
  );

export function megabytes(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
