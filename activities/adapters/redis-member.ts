import type { RegistryLink, RegistryMember } from '../ports';
import { TIMEOUT_MS, ask, fieldsOf, type Info } from './redis-ask';
import { isDark, trouble } from './trouble';

/** Looks at one of these Redis servers, which replicate from each other; never throws. */
export function memberLook(
  members: Readonly<Record<string, string>>,
  password: string | undefined,
): (member: string) => Promise<RegistryMember> {
  const byAddress = new Map(Object.entries(members).map(([member, address]) => [address, member]));
  return async (member) => {
    try {
      const text = await ask(`redis://${members[member]}`, password, (redis) => redis.info('replication'));
      return describe(member, fieldsOf(text), byAddress);
    } catch (error) {
      const said = trouble(error, TIMEOUT_MS);
      return { member, reachable: false, said, ...(isDark(error) && { dark: true }) };
    }
  };
}

function describe(member: string, info: Info, byAddress: ReadonlyMap<string, string>): RegistryMember {
  // Redis tells how many standbys are good only where it asks for some.
  const asks = 'min_slaves_good_slaves' in info ? { asksForStandby: true } : {};
  if (info['role'] === 'master') {
    const said = `primary, ${info['connected_slaves']} standbys`;
    const offset = Number(info['master_repl_offset']);
    return { member, reachable: true, said, role: 'primary', offset, ...asks };
  }
  const address = `${info['master_host']}:${info['master_port']}`;
  const link = linkOf(info, byAddress.get(address));
  const silent = link.silentS === undefined ? 'that it never had' : `for ${link.silentS} s`;
  const said = `standby of ${link.to ?? address}, link ${link.up ? 'up' : `down ${silent}`}`;
  const offset = Number(info['slave_repl_offset']);
  return { member, reachable: true, said, role: 'standby', offset, link, ...asks };
}

function linkOf(info: Info, to: string | undefined): RegistryLink {
  const up = info['master_link_status'] === 'up';
  const silentS = Number(info[up ? 'master_last_io_seconds_ago' : 'master_link_down_since_seconds'] ?? -1);
  return {
    ...(to && { to }),
    up,
    copying: info['master_sync_in_progress'] === '1',
    ...(silentS >= 0 && { silentS }),
  };
}
