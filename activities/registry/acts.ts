import { setTimeout as delay } from 'node:timers/promises';
import { SwitchoverError } from '../../core/errors';
import { whyNot } from '../../core/guards';
import type { Deed, Intent, Refusal } from '../../core/run';
import { registryProgram } from '../../core/topology';
import { beating } from '../beating';
import { registryOf, type Deps, type RegistrySystems } from '../deps';
import { ensure } from '../ensure';
import type { RegistryMember } from '../ports';
import { assessRegistry, type RegistryAssessment } from './assess';
import { lookAtFence, requireFenced, type Fenced, type FenceLook } from './fence';

/** A failed primary as it is fenced: what was seen of the registry, of its process, and the evidence once there is any. */
export interface Fencing extends FenceLook {
  registry: RegistryAssessment;
}

/** How long a member that follows another may take until it has everything, ms. */
const COPY_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** Changes to the registry. Each looks first and does nothing where the world is as wanted. */
export function registryActs(deps: Deps) {
  return {
    /**
     * Fences a failed primary: its process is ended, killed where it hangs. The failure is confirmed again in the same activity,
     * so that nothing comes between what was seen and what is done.
     * @throws GUARD_REFUSED where it is well for anybody, or no standby can take over: a sick primary is better than none
     */
    fencePrimary: beating(
      async ({ primary, how }: { primary: string; how: Intent }): Promise<Deed<Fencing>> => {
        const systems = registryOf(deps);
        return ensure(how, {
          look: async () => {
            const [{ value: registry }, fence] = await Promise.all([
              assessRegistry(systems),
              lookAtFence(systems, primary),
            ]);
            return { ...fence, registry };
          },
          already: ({ fenced }) => fenced && `${primary} is fenced: ${fenced.proof} (${fenced.said})`,
          refuse: ({ registry }) => (registry.failed ? whyNotPromoteIn(registry) : whyNotFence(primary)),
          intention: ({ process }) => `end the process of ${primary} (pid ${process.pid})`,
          act: () => systems.fleet.stop(registryProgram(primary)),
          done: ({ process }, { fenced }) =>
            `${primary} is fenced: its pid ${process.pid} was ended (${fenced?.said})`,
        });
      },
    ),

    /**
     * Makes a standby the primary.
     * @param fenced the evidence that {@link fencePrimary} brought; a plan has none
     * @throws NOT_FENCED without evidence that still holds · GUARD_REFUSED where nobody knows what the standby lacks
     */
    async promoteStandby(ask: {
      standby: string;
      fenced: Fenced | undefined;
      how: Intent;
    }): Promise<Deed<RegistryMember>> {
      const { standby, fenced, how } = ask;
      const systems = registryOf(deps);
      return ensure(how, {
        look: () => memberOf(systems, standby),
        already: ({ role, said }) => (role === 'primary' ? `${standby} is the primary (${said})` : null),
        refuse: mayPromote,
        intention: ({ said }) => `make ${standby} (${said}) the primary`,
        act: async () => {
          await requireFenced(systems, standby, fenced);
          await systems.registry.promote(standby);
        },
        done: (before, { said }) => `${standby} was made the primary: ${before.said} → ${said}`,
      });
    },

    /**
     * Makes every other member a standby of the primary, started where it does not run, and waits until each has everything.
     * @throws VERIFY_FAILED, REGISTRY_UNREACHABLE where one does not get there
     */
    followPrimary: beating(
      async ({ primary, how }: { primary: string; how: Intent }): Promise<Deed<RegistryMember[]>> => {
        const systems = registryOf(deps);
        const follows = ({ link }: RegistryMember): boolean =>
          link?.to === primary && link.up && !link.copying;
        const others = (members: readonly RegistryMember[]): RegistryMember[] =>
          members.filter(({ member }) => member !== primary);
        const names = (members: readonly RegistryMember[]): string =>
          members.map(({ member }) => member).join(', ');
        return ensure(how, {
          look: () => systems.registry.members(),
          already: (members) =>
            others(members).every(follows) ? `${names(others(members))} follows ${primary}` : null,
          intention: (members) => `make ${names(others(members))} follow ${primary}`,
          act: async (members) => {
            const lagging = others(members).filter((member) => !follows(member));
            await Promise.all(lagging.map(({ member }) => bringToFollow(systems, member, primary, follows)));
          },
          done: (before, after) =>
            others(after)
              .map(({ member, said }) => {
                const was = before.find((one) => one.member === member)!.said;
                return `${member}: ${was} → ${said}`;
              })
              .join('; '),
        });
      },
    ),
  };
}

function whyNotFence(primary: string): Refusal {
  return {
    guard: 'primary is well',
    sentence: `${primary} must stay the primary: it is well again for somebody`,
  };
}

/** Why the standby of a registry must not be promoted, or null. */
export function whyNotPromoteIn({ members, standby }: RegistryAssessment): Refusal | null {
  return mayPromote(members.find(({ member }) => member === standby));
}

function mayPromote(standby: RegistryMember | undefined): Refusal | null {
  const { reachable = false, member, link } = standby ?? {};
  return whyNot('promote standby', {
    standby: reachable ? member : undefined,
    copying: link?.copying ?? false,
    silentS: link?.silentS,
  });
}

async function memberOf({ registry }: RegistrySystems, name: string): Promise<RegistryMember> {
  const members = await registry.members();
  return members.find(({ member }) => member === name)!;
}

/** A member that is started is a standby of somebody from its first moment, so it can be told whom to follow in peace. */
async function bringToFollow(
  systems: RegistrySystems,
  name: string,
  primary: string,
  follows: (member: RegistryMember) => boolean,
): Promise<void> {
  const { registry, fleet } = systems;
  const program = registryProgram(name);
  if ((await fleet.status(program)).pid === 0) await fleet.start(program);
  let told = false;
  for (const end = Date.now() + COPY_MS; ; await delay(LOOK_EVERY_MS)) {
    const member = await memberOf(systems, name);
    if (follows(member)) return;
    if (member.reachable && !told) {
      await registry.follow(name, primary);
      told = true;
    }
    if (Date.now() > end)
      throw new SwitchoverError(
        'VERIFY_FAILED',
        `${name} does not follow ${primary} ${COPY_MS / 1_000} s after it was told to: ${member.said}`,
      );
  }
}
