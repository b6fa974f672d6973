import { Packet } from 'dns2';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { choose, type Asker } from './choose';
import type { Zone } from './records';

const NOERROR = 0;
const NXDOMAIN = 3;
const REFUSED = 5;

/** What a record's text is in a packet, by type; other types are not answered. */
const FIELDS: Readonly<Record<string, (value: string) => Partial<Packet.Resource>>> = {
  A: (address) => ({ address }),
  AAAA: (address) => ({ address }),
  CNAME: (domain) => ({ domain: bare(domain) }),
  NS: (ns) => ({ ns: bare(ns) }),
  TXT: (text) => ({ data: [...text.matchAll(/"([^"]*)"/g)].map(([, part]) => part ?? '') }),
};

/** Answers one question with authority: outside the zones refused, and a name that is not there with NXDOMAIN. */
export function answer(request: Packet, zones: readonly Zone[], asker: Asker): Packet {
  const response = Packet.createResponseFromRequest(request);
  response.header.aa = 1;
  const [question] = request.questions;
  const name = `${bare(question?.name ?? '').toLowerCase()}.`;
  const zone = zones.find((one) => name === one.name || name.endsWith(`.${one.name}`));
  const here = zone?.sets.filter((set) => set.Name?.toLowerCase() === name) ?? [];
  response.header.rcode = !zone ? REFUSED : here.length > 0 ? NOERROR : NXDOMAIN;
  const wanted = here.filter(({ Type }) => Packet.TYPE[Type as keyof typeof Packet.TYPE] === question?.type);
  const sets = wanted.length > 0 ? wanted : here.filter(({ Type }) => Type === 'CNAME');
  response.answers = choose(sets, asker).flatMap((set) => resources(question!.name, set));
  return response;
}

function resources(name: string, set: ResourceRecordSet): Packet.Resource[] {
  const fields = FIELDS[set.Type ?? ''];
  const type = Packet.TYPE[set.Type as keyof typeof Packet.TYPE];
  return (set.ResourceRecords ?? []).flatMap(({ Value = '' }) =>
    fields
      ? [Object.assign(new Packet.Resource(name, type, Packet.CLASS.IN, set.TTL ?? 0), fields(Value))]
      : [],
  );
}

/** Without the dot at its end. */
function bare(name: string): string {
  return name.replace(/\.$/, '');
}
