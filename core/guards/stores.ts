import type { Guard } from './guard';
import type { Questions } from './questions';

/** What a standby may still have to receive when a planned change of roles begins, bytes: Patroni's own bound for a failover. */
const SWITCH_LAG_BYTES = 1_048_576;

export const standbyAnswers: Guard<Questions['promote standby']> = {
  name: 'standby answers',
  refuses: ({ standby }) => (standby === undefined ? 'no standby answers: there is nobody to promote' : null),
};

/** What a standby lacks has to be known. */
export const standbyLagKnown: Guard<Questions['promote standby']> = {
  name: 'standby lag known',
  refuses: ({ standby, silentS }) =>
    silentS === undefined
      ? `${standby} must stay a standby: it never had a link to its primary, so nobody knows what it lacks`
      : null,
};

/** What a standby lacks has to be no more than the last moments. */
export const standbyWhole: Guard<Questions['promote standby']> = {
  name: 'standby whole',
  refuses: ({ standby, copying }) =>
    copying
      ? `${standby} must stay a standby: it is being copied from its primary, and has only a part`
      : null,
};

/** Never two primaries: who of them is right is for a person to say. */
export const noSecondPrimary: Guard<Questions['start primary']> = {
  name: 'no second primary',
  refuses: ({ primary, writable }) =>
    writable.length > 0
      ? `nobody may take over from ${primary}: ${writable.join(' and ')} takes writes already`
      : null,
};

/** The minority pauses, the majority goes on (REQUIREMENTS H6): so there must be one, and it is not paused. */
export const majorityGoesOn: Guard<Questions['pause member']> = {
  name: 'majority goes on',
  refuses: ({ member, primary, atWork }) => {
    if (!atWork) return `${member} must not be paused: no other member is the primary`;
    return member === primary ? `${member} must not be paused: it is the primary` : null;
  },
};

/** Who takes over does so by the lease, which nobody can hand over while it cannot be reached. */
export const controlPlaneAnswers: Guard<Questions['take over database']> = {
  name: 'control plane answers',
  refuses: ({ primary, control }) =>
    control
      ? null
      : `nobody can take over from ${primary}: the control plane that keeps the lease does not answer`,
};

/** Never who may lack acknowledged writes (REQUIREMENTS F5). */
export const candidateHasAll: Guard<Questions['take over database']> = {
  name: 'candidate has every write',
  refuses: ({ primary, candidate, synchronous }) =>
    candidate === undefined
      ? `nobody can take over from ${primary}: no ${synchronous ? 'synchronous ' : ''}standby answers`
      : null,
};

/** What is planned waits until it is safe; a primary that is not well is database-failover's. */
export const primaryIsWell: Guard<Questions['switch database']> = {
  name: 'primary is well',
  refuses: ({ primary, well }) =>
    well ? null : `${primary} does not take its clients' writes: that is for database-failover`,
};

/** Never who may lack acknowledged writes, nor who could not catch up while clients wait (REQUIREMENTS F5). */
export const successorHasAll: Guard<Questions['switch database']> = {
  name: 'candidate has every write',
  refuses: ({ primary, candidate, follows, synchronous, lagBytes }) => {
    if (candidate === undefined) return `nobody can take over from ${primary}: no standby follows it`;
    if (!follows) return `${candidate} cannot take over from ${primary}: it does not follow it`;
    if (synchronous.cluster && !synchronous.candidate)
      return `${candidate} cannot take over from ${primary}: it is not its synchronous standby`;
    if (lagBytes === undefined)
      return `${candidate} cannot take over from ${primary}: how far it is behind is not known`;
    return lagBytes <= SWITCH_LAG_BYTES
      ? null
      : `${candidate} cannot take over from ${primary}: it is ${lagBytes} bytes behind, more than ${SWITCH_LAG_BYTES}`;
  },
};

/** A primary smaller than those that follow it is one that they stop replaying from. */
export const settingsParity: Guard<Questions['switch database']> = {
  name: 'settings parity',
  refuses: ({ primary, candidate, smaller }) =>
    smaller.length === 0
      ? null
      : `${candidate} must not take over from ${primary}: it is set up smaller (${smaller.join(', ')})`,
};

/** Only what a person has chosen by its instant, and could look at. */
export const copyOfInstant: Guard<Questions['put copy in place']> = {
  name: 'copy of an instant',
  refuses: ({ copy, to }) => {
    if (copy === undefined) return 'there is no restored copy; make one with restore-point-in-time';
    return to ? null : `the copy of ${copy} was made of no instant`;
  },
};

/** Else no member could become the primary, and the database would stay down. */
export const controlPlaneThere: Guard<Questions['put copy in place']> = {
  name: 'control plane answers',
  refuses: ({ control }) =>
    control
      ? null
      : 'the database must not be stopped: its control plane does not answer, so nobody could become the primary',
};

export const noOtherPrimary: Guard<Questions['take over cache']> = {
  name: 'no second primary',
  refuses: ({ primary, writable }) =>
    writable.length > 0
      ? `nobody may take over from ${primary}: ${writable.join(' and ')} takes writes already`
      : null,
};

export const someStandbyAnswers: Guard<Questions['take over cache']> = {
  name: 'standby answers',
  refuses: ({ primary, candidate }) =>
    candidate === undefined ? `nobody can take over from ${primary}: no standby that is whole answers` : null,
};

/** A write that one standby acknowledged may be on the one that is silent, and on no other. */
export const everyStandbyAnswers: Guard<Questions['take over cache']> = {
  name: 'candidate has every write',
  refuses: ({ primary, candidate, silent }) =>
    silent.length > 0
      ? `${candidate} may lack writes of ${primary} that were acknowledged: ${silent.join(' and ')}, which may have them, does not answer. The Sentinels, who ask for less, are not held back`
      : null,
};

/** Never beside somebody who may promote another one at the same moment. */
export const sentinelsHeld: Guard<Questions['promote past Sentinel']> = {
  name: 'Sentinels held back',
  refuses: ({ candidate, watching }) =>
    watching.length > 0
      ? `${candidate} must not be made the primary: ${watching.join(' and ')} may make another one it meanwhile`
      : null,
};

export const primaryAtWork: Guard<Questions['hand over cache']> = {
  name: 'primary at work',
  refuses: ({ primary, to }) =>
    primary === undefined
      ? `nobody can hand over to ${to}: no primary takes its clients' writes; that is a failover`
      : null,
};

/** Else the store would be left with less than it had. */
export const storeWhole: Guard<Questions['hand over cache']> = {
  name: 'store is whole',
  refuses: ({ primary, absent }) =>
    absent.length > 0 ? `${primary} must stay the primary: ${absent.join(' and ')} does not follow it` : null,
};

export const receiverFollows: Guard<Questions['hand over cache']> = {
  name: 'receiver follows',
  refuses: ({ primary, to, follows }) =>
    follows ? null : `${primary} cannot hand over to ${to}: it is none of its standbys`,
};
