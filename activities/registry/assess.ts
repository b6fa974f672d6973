import { setTimeout as delay } from 'node:timers/promises';
import { SwitchoverError } from '../../core/errors';
import type { Finding } from '../../core/run';
import type { RegistrySystems } from '../deps';
import type { RegistryMember } from '../ports';

/** What one vantage point said of the primary. */
interface RegistrySign {
  from: string;
  ok: boolean;
  said: string;
}

/** What was seen of a registry whose primary is said to have failed. */
export interface RegistryAssessment {
  failed: boolean;
  /** Why, in a sentence. */
  said: string;
  /** The member that is the primary, or that the standbys follow. */
  primary: string;
  /** Of the standbys that answer the one that has most, if any answers. */
  standby?: string;
  signs: RegistrySign[];
  members: RegistryMember[];
}

/**
 * How long it may be unclear whether the primary has failed, ms: a standby notices after seconds that it hears nothing, and one
 * that nobody reaches may be well while this process was held up.
 */
const UNCLEAR_MS = 10_000;
const AGAIN_MS = 200;

/**
 * Confirms that the primary has failed: it does not answer, its standbys do not hear of it, and clients do not reach it. Where
 * any of these is otherwise it is not failed: a primary that only we cannot reach must not get a second one beside it.
 * @throws GUARD_REFUSED where nobody can tell which member the primary is
 */
export async function assessRegistry(systems: RegistrySystems): Promise<Finding<RegistryAssessment>> {
  for (const end = Date.now() + UNCLEAR_MS; ; await delay(AGAIN_MS)) {
    try {
      const found = await lookOnce(systems);
      const { failed, signs, standby } = found.value;
      if (signs[0]!.ok || (failed && standby) || Date.now() > end) return found;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

async function lookOnce({ registry }: RegistrySystems): Promise<Finding<RegistryAssessment>> {
  const [members, clients] = await Promise.all([
    registry.members(),
    registry.registered().then(
      (nodes) => ({ ok: true, said: `${nodes.length} nodes are registered` }),
      (error: Error) => ({ ok: false, said: error.message }),
    ),
  ]);
  const primary = primaryOf(members);
  const own = members.find(({ member }) => member === primary)!;
  const standbys = members.filter(({ member, role }) => member !== primary && role === 'standby');
  const signs: RegistrySign[] = [
    { from: primary, ok: own.role === 'primary', said: own.said },
    ...standbys.map(({ member, link, said }) => ({
      from: `standby ${member}`,
      ok: link?.up === true && link.to === primary,
      said,
    })),
    { from: 'address of the clients', ...clients },
  ];
  const failed = signs.every(({ ok }) => !ok);
  const standby = standbys.toSorted((a, b) => (b.offset ?? 0) - (a.offset ?? 0))[0]?.member;
  const said = told(primary, failed, signs);
  return { sentence: said, value: { failed, said, primary, ...(standby && { standby }), signs, members } };
}

/** @throws GUARD_REFUSED for none or several */
function primaryOf(members: readonly RegistryMember[]): string {
  const claim = members.filter(({ role }) => role === 'primary').map(({ member }) => member);
  const followed = members.flatMap(({ link }) => link?.to ?? []);
  const [primary, ...more] = claim.length > 0 ? claim : new Set(followed);
  if (primary !== undefined && more.length === 0) return primary;
  const seen = members.map(({ member, said }) => `${member}: ${said}`).join('; ');
  throw new SwitchoverError('GUARD_REFUSED', `one primary: nobody can tell which member it is (${seen})`);
}

function told(primary: string, failed: boolean, signs: readonly RegistrySign[]): string {
  const say = (some: readonly RegistrySign[]): string =>
    some.map(({ from, said }) => `${from}: ${said}`).join('; ');
  if (failed) return `${primary} has failed (${say(signs)})`;
  const [direct, ...others] = signs;
  if (direct!.ok) return `${primary} is the primary and well`;
  const happy = say(others.filter(({ ok }) => ok));
  return `${primary} cannot be reached from here (${direct!.said}), but it is well for others (${happy})`;
}
