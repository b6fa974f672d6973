import { isDegraded } from '../health';
import { liesIn } from '../scope';
import { because, percent, type Guard } from './guard';
import { serving, type Bear, type Leave, type Questions } from './questions';

/** Never the last healthy member (DESIGN section 4). What is left is judged without the member, healthy or not. */
export const lastHealthyMember: Guard<Questions['take out']> = {
  name: 'last healthy member',
  refuses: (question) =>
    left(question) > 0 || !isMember(question)
      ? null
      : `${question.server} must stay: no other of the ${question.members.length} members of pool ${question.pool} is healthy; this is a failure of the pool, not of a node`,
};

/** Never below the minimum healthy share (DESIGN section 4). */
export const memberShare: Guard<Questions['take out']> = {
  name: 'minimum healthy share',
  refuses: (question) =>
    isMember(question)
      ? because(belowShare(left(question), question), `${question.server} must stay: ${without(question)}`)
      : null,
};

/** Never fewer members than the pool's measured peak takes (DESIGN section 4). */
export const memberHeadroom: Guard<Questions['retire']> = {
  name: 'capacity headroom',
  refuses: (question) =>
    because(tooFewFor(left(question), question), `${question.server} must stay: ${without(question)}`),
};

/** Never all healthy members at once. */
export const lastHealthyBatch: Guard<Questions['take out batch']> = {
  name: 'last healthy member',
  refuses: (question) =>
    left(question) > 0
      ? null
      : `${question.servers.join(', ')} must stay: no other of the ${question.members.length} members of pool ${question.pool} is healthy`,
};

export const batchShare: Guard<Questions['take out batch']> = {
  name: 'minimum healthy share',
  refuses: (question) =>
    because(
      belowShare(left(question), question),
      `${question.servers.join(', ')} must stay: ${withoutThem(question)}`,
    ),
};

export const batchHeadroom: Guard<Questions['take out batch']> = {
  name: 'capacity headroom',
  refuses: (question) =>
    because(
      tooFewFor(left(question), question),
      `${question.servers.join(', ')} must stay: ${withoutThem(question)}`,
    ),
};

/** Never to members that do not serve, all of them. */
export const releaseServes: Guard<Questions['lead to release']> = {
  name: 'receivers serve',
  refuses: ({ pool, servers, members }) => {
    const well = serving(members).map(({ server }) => server);
    const away = servers.filter((server) => !well.includes(server));
    if (servers.length > 0 && away.length === 0) return null;
    return `clients of pool ${pool} must not be led to ${away.join(', ') || 'nobody'}: not in service`;
  },
};

/** Never more than they bear at the measured peak. */
export const releaseHeadroom: Guard<Questions['lead to release']> = {
  name: 'capacity headroom',
  refuses: ({ pool, servers, share, peakPerS, memberCapacity }) =>
    because(
      tooFewFor(servers.length, {
        peakPerS: peakPerS === null ? null : Math.ceil((peakPerS * share) / 100),
        memberCapacity,
      }),
      `${share} % of pool ${pool} must not be led to ${servers.length} of its members: that many serve`,
    ),
};

/** Never the last zone that serves: that is the failure of a region. What is left is what serves elsewhere. */
export const lastServingZone: Guard<Questions['take out zone']> = {
  name: 'last serving zone',
  refuses: (question) =>
    left(question) > 0
      ? null
      : `zone ${question.zone} must stay: no other zone of ${question.pool} serves; this is a failure of the region`,
};

export const zoneShare: Guard<Questions['take out zone']> = {
  name: 'minimum healthy share',
  refuses: (question) =>
    because(belowShare(left(question), question), `zone ${question.zone} must stay: ${without(question)}`),
};

export const zoneHeadroom: Guard<Questions['take out zone']> = {
  name: 'capacity headroom',
  refuses: (question) =>
    because(tooFewFor(left(question), question), `zone ${question.zone} must stay: ${without(question)}`),
};

/** Not while so many of its nodes have failed that the zone would be left again. */
export const zoneWell: Guard<Questions['bring back zone']> = {
  name: 'zone still degraded',
  refuses: ({ zone, failed, of, rule }) =>
    isDegraded(failed, of, rule)
      ? `zone ${zone} must stay out: ${failed} of its ${of} nodes do not serve, more than ${percent(rule.share)}`
      : null,
};

/** One vantage point cannot tell a dead region from one that only it does not reach (DESIGN section 4). */
export const twoVantagePoints: Guard<Questions['leave region']> = {
  name: 'two vantage points',
  refuses: ({ region, doubt }) => (doubt === undefined ? null : `${region} must not be left: ${doubt}`),
};

/** Never the last region that serves. */
export const someRegionReceives: Guard<Questions['leave region']> = {
  name: 'last serving region',
  refuses: ({ region, receivers }) =>
    receivers.length > 0 ? null : `${region} must not be left: no other region serves that could take over`,
};

/** A region that is dead bears nothing, so that whoever bears a part is better; one that is well is not left for less. */
export const regionHeadroom: Guard<Questions['leave region']> = {
  name: 'capacity headroom',
  refuses: ({ region, strained, planned }) =>
    planned && strained.length > 0
      ? `${region} must stay: ${strained.join(' and ')} cannot bear its traffic at the measured peak`
      : null,
};

export const regionSeenWell: Guard<Questions['lead back']> = {
  name: 'seen well from outside',
  refuses: ({ region, why }) =>
    why === undefined ? null : `clients must not be led to ${region} yet: ${why}`,
};

export const regionShare: Guard<Questions['form region']> = {
  name: 'minimum healthy share',
  refuses: ({ region, healthy, of, minimumShare }) =>
    healthy / of >= minimumShare
      ? null
      : `${region} must not serve yet: ${healthy} of ${of} nodes are healthy, below the minimum share of ${percent(minimumShare)}`,
};

/** Never to where the sessions are. */
export const anotherPlace: Guard<Questions['move sessions']> = {
  name: 'another place',
  refuses: ({ from, to }) =>
    liesIn(from, to) || liesIn(to, from)
      ? `${from} and ${to} are the same place, or one is in the other`
      : null,
};

/** Never to where nobody serves. */
export const receiversServe: Guard<Questions['move sessions']> = {
  name: 'receivers serve',
  refuses: ({ from, to, serving: receiving }) =>
    receiving > 0 ? null : `no node of ${to} serves: it cannot take the sessions of ${from}`,
};

/** Never to a place that has lost too much of itself to take the load of another. */
export const receiverShare: Guard<Questions['move sessions']> = {
  name: 'minimum healthy share',
  refuses: ({ from, to, serving: receiving, of, minimumShare }) =>
    receiving / of >= minimumShare
      ? null
      : `${receiving} of ${of} nodes of ${to} serve, below the minimum share of ${percent(minimumShare)}: it cannot take the sessions of ${from}`,
};

/** Never to where nobody would serve: a nameserver answers with a region that is down rather than with nothing. */
export const someRegionServes: Guard<Questions['shift traffic']> = {
  name: 'some region serves',
  refuses: ({ name, weights, serving: well }) => {
    const chosen = Object.keys(weights).filter((region) => (weights[region] ?? 0) > 0);
    if (chosen.some((region) => well.includes(region))) return null;
    const others = well.length > 0 ? `${well.join(' and ')} would, at weight 0` : 'no region does';
    return `${name} must not lead to ${chosen.join(' and ') || 'no region'} alone: nobody serves there; ${others}`;
  },
};

/** One that its pool does not have cannot be missed by it. */
function isMember({ server, members }: Questions['take out']): boolean {
  return members.some((member) => member.server === server);
}

/** Members that would serve without the one, or without those of the zone. */
function left(question: Leave & ({ server: string } | { servers: readonly string[] })): number {
  const gone = 'server' in question ? [question.server] : question.servers;
  return serving(question.members).filter(({ server }) => !gone.includes(server)).length;
}

function without(question: Parameters<typeof left>[0]): string {
  return `without it ${remain(question)}`;
}

function withoutThem(question: Questions['take out batch']): string {
  return `without them ${remain(question)}`;
}

function remain(question: Parameters<typeof left>[0]): string {
  return `${left(question)} of ${question.members.length} members of pool ${question.pool} serve`;
}

function belowShare(remaining: number, { members, minimumShare }: Leave): string | null {
  if (remaining / members.length >= minimumShare) return null;
  return `below the minimum share of ${percent(minimumShare)}`;
}

/** What speaks against leaving the measured peak to so many members, or null. */
function tooFewFor(remaining: number, { peakPerS, memberCapacity }: Bear): string | null {
  if (peakPerS === null) return 'and the peak they would have to bear is not known';
  const needed = Math.ceil(peakPerS / memberCapacity);
  if (remaining >= needed) return null;
  return `but the measured peak of ${peakPerS} requests/s needs ${needed} at ${memberCapacity} each`;
}
