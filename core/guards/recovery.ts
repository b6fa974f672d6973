import type { Guard } from './guard';
import type { Questions } from './questions';

/** One vantage point cannot tell a dead region from one that only it does not reach; at level 3 people are asked instead. */
export const lossIsSeen: Guard<Questions['activate site']> = {
  name: 'two vantage points',
  refuses: ({ level, lost, unknown }) =>
    lost.length > 0 || (level === 3 && unknown.length > 0)
      ? null
      : `no site must be activated: no region is seen lost from two vantage points (${unknown.join('; ') || 'all are seen well'})`,
};

/** The others can take what one region leaves: that is a failover of the region. */
export const majorityIsLost: Guard<Questions['activate site']> = {
  name: 'majority seen well',
  refuses: ({ well, of }) =>
    2 * well.length > of
      ? `no site must be activated: ${well.join(' and ')} are seen well, most of ${of} regions; what the others leave is for region-failover`
      : null,
};

export const levelCovers: Guard<Questions['activate site']> = {
  name: 'level covers the loss',
  refuses: ({ level, lost }) =>
    lost.length > 1 && level < 3
      ? `${lost.join(' and ')} are lost: that is level 3, and level ${level} was agreed on`
      : null,
};

export const siteIsThere: Guard<Questions['activate site']> = {
  name: 'site is there',
  refuses: ({ site, named }) => {
    if (site === undefined)
      return named === undefined
        ? 'no site for disasters answers'
        : `${named} is no site for disasters: it is neither a standby nor cold`;
    return site.reachable ? null : `${site.site} cannot be activated: ${site.said}`;
  },
};

/** Nobody touches the data further than people have agreed to. */
export const levelAllowsData: Guard<Questions['recover store']> = {
  name: 'level allows it',
  refuses: ({ level, store, by, member }) => {
    if (by === 'successor' && level < 2)
      return `the ${store} must be failed over to ${member}: that is level 2, and level ${level} was agreed on`;
    if (by === 'backup' && level < 3)
      return `no member of the ${store} is left, so that a backup is restored: that is level 3, and level ${level} was agreed on`;
    if (by === 'survivor' && level < 3)
      return `only ${member} of the ${store} is left, which may lack acknowledged writes: to go on with it is level 3, and level ${level} was agreed on`;
    return null;
  },
};

export const someMemberIsLeft: Guard<Questions['recover store']> = {
  name: 'a member is left',
  refuses: ({ store, by }) =>
    by === 'none'
      ? `no member of the ${store} is left outside of the lost regions, and no backup can take its place`
      : null,
};

/** What is there is better than any backup of it. */
export const noneIsStopped: Guard<Questions['recover store']> = {
  name: 'no member is stopped',
  refuses: ({ store, stopped }) =>
    stopped.length > 0
      ? `${stopped.join(' and ')} of the ${store} has data and does not run: start it first, by full-outage`
      : null,
};

/** A member is given up with its region, or because nobody hears of it. */
export const memberIsLost: Guard<Questions['give up member']> = {
  name: 'region is lost',
  refuses: ({ member, region, lost, answers }) =>
    lost.includes(region) || !answers
      ? null
      : `${member} must not be fenced: it answers, and ${region} is not lost`,
};

/** Never beside another primary. */
export const survivorAlone: Guard<Questions['lead with survivor']> = {
  name: 'no second primary',
  refuses: ({ member, writable }) =>
    writable.length > 0 ? `${member} must not lead: ${writable.join(' and ')} takes writes already` : null,
};

/** Who leads does so by the lease, which nobody can take while it cannot be reached. */
export const leaseIsThere: Guard<Questions['lead with survivor']> = {
  name: 'control plane answers',
  refuses: ({ member, control }) =>
    control ? null : `${member} cannot lead: the control plane that keeps the lease does not answer`,
};

/** Nothing is stopped that somebody needs. */
export const siteIsEmpty: Guard<Questions['rest site']> = {
  name: 'nobody needs it',
  refuses: ({ site, weight, buckets, leads }) => {
    if (leads !== undefined) return `${site} must go on serving: ${leads} is the primary of the database`;
    if (weight > 0) return `${site} must go on serving: clients are led there with weight ${weight}`;
    return buckets > 0
      ? `${site} must go on serving: its nodes own ${buckets} buckets of sessions, which nobody has taken yet`
      : null;
  },
};

export const siteIsOne: Guard<Questions['deactivate site']> = {
  name: 'site is there',
  refuses: ({ site, role }) =>
    role === undefined ? `${site} is no site for disasters: it is neither a standby nor cold` : null,
};

/** Clients are led home only once home is whole. */
export const homeIsWhole: Guard<Questions['deactivate site']> = {
  name: 'home regions whole',
  refuses: ({ site, notWhole }) =>
    notWhole.length > 0 ? `${site} must go on serving: ${notWhole.join('; ')}` : null,
};
