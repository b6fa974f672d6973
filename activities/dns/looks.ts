import { sleep } from '@temporalio/activity';
import {
  inWords,
  judgeAnswers,
  weightChanges,
  weightsInWords,
  type AnswersVerdict,
  type Weights,
} from '../../core/dns';
import { SwitchoverError } from '../../core/errors';
import type { Finding } from '../../core/run';
import { millis } from '../../core/time';
import { beating } from '../beating';
import { dnsOf, type Deps } from '../deps';
import { servingRegions } from './serving';
import type { Traffic } from './traffic';

/** What clients are answered. */
export interface DnsProof {
  /** How often each region was answered, by all nameservers together. */
  regions: Record<string, number>;
  /** ISO time from which on no nameserver answered anything else. */
  provenAt: string;
  /** ISO time from which on nobody who keeps to the TTL uses an answer from before. */
  freshAt: string;
}

/** How long the nameservers may take to answer by the weights, ms. Route 53 says "usually within 60 seconds". */
const ANSWER_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

/** Sees where clients are led. */
export function dnsLooks(deps: Deps) {
  /** The verdict on what is answered now. @throws VERIFY_FAILED where the zone does not have these weights */
  const judge = async (weights: Weights): Promise<AnswersVerdict> => {
    const dns = dnsOf(deps);
    const [view, answers] = await Promise.all([dns.look(), dns.answers()]);
    const changes = weightChanges(view, weights);
    if (changes.length > 0)
      throw new SwitchoverError(
        'VERIFY_FAILED',
        `${view.name} has other weights: ${inWords(changes)} is missing`,
      );
    const verdict = judgeAnswers(view, answers);
    const answered = Object.keys(verdict.regions);
    const dead = (await servingRegions(deps, view)).filter(
      ({ region, ok }) => !ok && answered.includes(region),
    );
    if (dead.length === 0) return verdict;
    const said = dead.map((one) => `${one.region} is answered, but does not serve (${one.said})`).join('; ');
    return { ...verdict, ok: false, said };
  };

  return {
    /** Where clients are led, and which regions serve. */
    lookAtDns: beating<void, Finding<Traffic>>(async () => {
      const view = await dnsOf(deps).look();
      const serving = await servingRegions(deps, view);
      const dead = serving
        .filter(({ ok }) => !ok)
        .map(({ region, said }) => `${region} does not serve (${said})`);
      const promisedS = millis(deps.config.dns?.ttl ?? '0s') / 1_000;
      const slow = view.ttlS > promisedS ? [`answers are kept for ${view.ttlS} s, not ${promisedS}`] : [];
      return {
        sentence: [`${view.name} has ${weightsInWords(view)}`, ...dead, ...slow].join('; '),
        value: { view, serving },
      };
    }),

    /**
     * Waits until every nameserver, asked directly, answers only with regions whose weight is above 0, and these serve.
     * @param ask.back a region that has to be answered again: one that was away is left out until its health check has seen it well
     * @throws VERIFY_FAILED saying what is wrong, after a minute
     */
    proveDns: beating(
      async (ask: { weights: Weights; back?: string | undefined }): Promise<Finding<DnsProof>> => {
        const { weights, back } = ask;
        for (const end = Date.now() + ANSWER_MS; ; await sleep(LOOK_EVERY_MS)) {
          const provenAt = Date.now();
          const { ok, said, regions, ttlS } = await judge(weights);
          const missing = back !== undefined && !(back in regions);
          if (ok && !missing) {
            const value = {
              regions,
              provenAt: new Date(provenAt).toISOString(),
              freshAt: new Date(provenAt + ttlS * 1_000).toISOString(),
            };
            return { sentence: `${said}; earlier answers may be kept for ${ttlS} s`, value };
          }
          const why = ok ? `nobody is answered ${back}; ${said}` : said;
          if (Date.now() > end) throw new SwitchoverError('VERIFY_FAILED', why);
        }
      },
    ),

    /**
     * Watches the nameservers until this ISO time, that of `freshAt`: then nobody who keeps to the TTL is led elsewhere any more. A
     * nameserver that does not answer for a moment is no answer; at the end all have to.
     * @throws VERIFY_FAILED where one answers with a region that it must not
     */
    awaitDns: beating(
      async ({ weights, until }: { weights: Weights; until: string }): Promise<Finding<DnsProof>> => {
        const began = Date.now();
        const end = Date.parse(until);
        for (let looks = 1; ; looks += 1) {
          const { ok, wrong, said, regions } = await judge(weights);
          const isOver = Date.now() >= end;
          if (wrong || (isOver && !ok)) throw new SwitchoverError('VERIFY_FAILED', said);
          if (isOver) {
            const names = Object.keys(regions).join(', ');
            const sentence = `the TTL has passed; in ${looks} looks nobody answered anything but ${names}`;
            const provenAt = new Date(began).toISOString();
            return { sentence, value: { regions, provenAt, freshAt: until } };
          }
          await sleep(Math.min(LOOK_EVERY_MS, Math.max(0, end - Date.now())));
        }
      },
    ),
  };
}
