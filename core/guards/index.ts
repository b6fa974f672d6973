import type { Refusal } from '../run';
import type { Guard } from './guard';
import {
  anotherPlace,
  batchHeadroom,
  batchShare,
  lastHealthyBatch,
  lastHealthyMember,
  lastServingZone,
  memberHeadroom,
  memberShare,
  receiverShare,
  receiversServe,
  regionHeadroom,
  releaseHeadroom,
  releaseServes,
  regionSeenWell,
  regionShare,
  someRegionReceives,
  someRegionServes,
  twoVantagePoints,
  zoneHeadroom,
  zoneShare,
  zoneWell,
} from './places';
import type { Questions } from './questions';
import {
  homeIsWhole,
  leaseIsThere,
  levelAllowsData,
  levelCovers,
  lossIsSeen,
  majorityIsLost,
  memberIsLost,
  noneIsStopped,
  siteIsEmpty,
  siteIsOne,
  siteIsThere,
  someMemberIsLeft,
  survivorAlone,
} from './recovery';
import {
  candidateHasAll,
  controlPlaneAnswers,
  controlPlaneThere,
  copyOfInstant,
  everyStandbyAnswers,
  majorityGoesOn,
  noOtherPrimary,
  noSecondPrimary,
  primaryAtWork,
  primaryIsWell,
  receiverFollows,
  sentinelsHeld,
  settingsParity,
  someStandbyAnswers,
  standbyAnswers,
  standbyLagKnown,
  standbyWhole,
  storeWhole,
  successorHasAll,
} from './stores';

export { serving, type PoolMember, type Questions } from './questions';

/** The guards of each act, in the order in which they are asked. */
export const GUARDS: { readonly [Act in keyof Questions]: readonly Guard<Questions[Act]>[] } = {
  'take out': [lastHealthyMember, memberShare],
  retire: [lastHealthyMember, memberShare, memberHeadroom],
  'take out batch': [lastHealthyBatch, batchShare, batchHeadroom],
  'lead to release': [releaseServes, releaseHeadroom],
  'take out zone': [lastServingZone, zoneShare, zoneHeadroom],
  'bring back zone': [zoneWell],
  'leave region': [twoVantagePoints, someRegionReceives, regionHeadroom],
  'lead back': [regionSeenWell],
  'form region': [regionShare],
  'move sessions': [anotherPlace, receiversServe, receiverShare],
  'promote standby': [standbyAnswers, standbyLagKnown, standbyWhole],
  'switch database': [primaryIsWell, successorHasAll, settingsParity],
  'take over database': [noSecondPrimary, controlPlaneAnswers, candidateHasAll],
  'start primary': [noSecondPrimary],
  'pause member': [majorityGoesOn],
  'take over cache': [noOtherPrimary, someStandbyAnswers, everyStandbyAnswers],
  'promote past Sentinel': [sentinelsHeld],
  'put copy in place': [copyOfInstant, controlPlaneThere],
  'hand over cache': [primaryAtWork, storeWhole, receiverFollows],
  'shift traffic': [someRegionServes],
  'activate site': [lossIsSeen, majorityIsLost, levelCovers, siteIsThere],
  'recover store': [noneIsStopped, someMemberIsLeft, levelAllowsData],
  'give up member': [memberIsLost],
  'lead with survivor': [survivorAlone, leaseIsThere],
  'deactivate site': [siteIsOne, homeIsWhole],
  'rest site': [siteIsEmpty],
};

/** The first guard that refuses this act, and why; null where none does. */
export function whyNot<Act extends keyof Questions>(act: Act, question: Questions[Act]): Refusal | null {
  for (const { name, refuses } of GUARDS[act]) {
    const sentence = refuses(question);
    if (sentence !== null) return { guard: name, sentence };
  }
  return null;
}
