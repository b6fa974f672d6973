import * as fc from 'fast-check';
import {
  attach,
  claimScope,
  claims,
  closeIncidents,
  dealsWith,
  free,
  grantNext,
  lend,
  nothingOpen,
  openIncident,
  outranks,
  overlap,
  PRECEDENCE,
  widened,
  type Claim,
  type Coordination,
  type Fault,
  type Rules,
} from '../../../core/coordination';
import type { Runbook } from '../../../core/runbook';
import { AT, claimOf } from './claims';

/** A small world, so that scopes overlap often: two zones of one region with three nodes each, and a system of its own. */
const SCOPES = [
  'global',
  'region/us-east-1',
  'zone/us-east-1/a',
  'zone/us-east-1/b',
  ...['a', 'b'].flatMap((zone) => [1, 2, 3].map((n) => `node/us-east-1/${zone}/n${n}`)),
  'database/main',
];
const scope = fc.constantFrom(...SCOPES);
const precedence = fc.constantFrom(...PRECEDENCE);

const rules: Rules = {
  nodes: { 'region/us-east-1': 6, 'zone/us-east-1/a': 3, 'zone/us-east-1/b': 3 },
  degraded: { zone: { share: 0.3, atLeast: 2 }, region: { share: 0.5, atLeast: 3 } },
  repeats: {},
  budget: { runsPerHour: 60, capacityOut: 1 },
  windows: {},
};
const catalogue = (['zone', 'region'] as const).map(
  (kind) => ({ id: `${kind}-failover`, whenDegraded: true, scope: { kind, input: kind } }) as Runbook,
);

/** What may happen to the coordinator; `pick` chooses among the runs there are. */
type Happening =
  | { what: 'ask'; scope: string; precedence: Claim['precedence']; waits: boolean }
  | { what: 'lend'; pick: number }
  | { what: 'end'; pick: number }
  | { what: 'fault'; scope: string };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ what: fc.constant('ask' as const), scope, precedence, waits: fc.boolean() }),
  fc.record({ what: fc.constant('lend' as const), pick: fc.nat() }),
  fc.record({ what: fc.constant('end' as const), pick: fc.nat() }),
  fc.record({ what: fc.constant('fault' as const), scope }),
);

/** A coordinator without its workflow: runs that are told to make room end when it is their turn to, or lend their scope. */
class World {
  readonly now: Coordination = nothingOpen();
  /** Faults handed over, and those that some incident has taken. */
  readonly handedOver: string[] = [];
  readonly taken = new Set<string>();
  private runs = 0;

  happen(event: Happening): void {
    if (event.what === 'ask') this.ask(event.scope, event.precedence, event.waits);
    else if (event.what === 'lend') this.lendOne(event.pick);
    else if (event.what === 'end') this.endOne(event.pick);
    else this.fault(event.scope);
    this.check();
  }

  /** Every run that has its scope ends, those that make room first, until nobody is left. */
  settle(): void {
    for (let rounds = 0; claims(this.now).length > 0; rounds += 1) {
      if (rounds > 100) throw new Error(`nobody can go on: ${JSON.stringify(this.now)}`);
      const yielding = claims(this.now).filter(({ yieldsTo }) => yieldsTo);
      const next = yielding[0] ?? claims(this.now).find(({ run }) => this.holds(run));
      if (!next) throw new Error(`all wait, nobody holds anything: ${JSON.stringify(this.now.waiting)}`);
      if (next.waits && next.yieldsTo && this.holds(next.run)) this.lend(next);
      else this.end(next.run);
      this.check();
    }
  }

  /** Only planned work waits for rescues. */
  private ask(where: string, as: Claim['precedence'], waits: boolean): void {
    const claim = claimOf(`r${(this.runs += 1)}`, where, as);
    claimScope(this.now, waits && as === 'planned' ? { ...claim, waits } : claim);
    grantNext(this.now);
  }

  /** One of those that were asked for their scope lends it. */
  private lendOne(pick: number): void {
    const asked = claims(this.now).filter(({ run, waits, yieldsTo }) => waits && yieldsTo && this.holds(run));
    const chosen = asked[pick % Math.max(asked.length, 1)];
    if (chosen) this.lend(chosen);
  }

  private lend(claim: Claim): void {
    lend(this.now, claim);
    grantNext(this.now);
  }

  private fault(where: string): void {
    const name = `fault-${this.handedOver.length}`;
    this.handedOver.push(name);
    const alert = { source: 'test', fingerprint: name, summary: name, faultAt: AT };
    const kind = where.split('/')[0];
    const fault: Fault = { runbook: `${kind}-failover`, input: {}, scope: where, trigger: 'alert', alert };
    for (const wide of widened(this.now, rules, catalogue, [fault], AT)) this.dealWith(wide);
    this.dealWith(fault);
    this.taken.add(name);
  }

  private dealWith(fault: Fault): void {
    const holder = dealsWith(this.now, fault);
    if (holder) return this.join(holder, fault);
    const asked = claimOf(`r${(this.runs += 1)}`, fault.scope);
    const contest = claimScope(this.now, asked);
    if (contest.outcome === 'refused') return this.join(contest.by, fault);
    openIncident(this.now, fault, asked.run, AT);
    grantNext(this.now);
  }

  private join({ run, scope: where }: Claim, fault: Fault): void {
    const known = Object.values(this.now.incidents).find((incident) => incident.run === run);
    if (known) attach(known, fault);
    else openIncident(this.now, { ...fault, scope: where }, run, AT);
  }

  private endOne(pick: number): void {
    const all = claims(this.now);
    const chosen = all[pick % Math.max(all.length, 1)];
    if (chosen) this.end(chosen.run);
  }

  private end(run: string): void {
    closeIncidents(this.now, run, AT);
    free(this.now, run);
    grantNext(this.now);
  }

  private holds(run: string): boolean {
    return Object.values(this.now.locks).some((lock) => lock.run === run);
  }

  private check(): void {
    const { locks, waiting, incidents } = this.now;
    const held = Object.keys(locks);
    for (const one of held)
      for (const other of held)
        if (one !== other && overlap(one, other)) throw new Error(`${one} and ${other} are held at once`);
    for (const { run, scope: where, yieldsTo, lent } of waiting) {
      if (yieldsTo) continue;
      const rivals = held.filter((other) => overlap(other, where));
      const others = waiting.some((other) => !other.lent && overlap(other.scope, where));
      if (rivals.length === 0 && !(lent && others)) throw new Error(`${run} waits for nobody`);
      if (lent) continue; // it waits for rescues, which owe it nothing but their end
      for (const rival of rivals)
        if (!locks[rival]!.yieldsTo) throw new Error(`${run} waits for ${rival}, which makes no room`);
    }
    const known = new Set(claims(this.now).map(({ run }) => run));
    for (const { id, run } of Object.values(incidents))
      if (!known.has(run)) throw new Error(`${id} is open, but nobody deals with it`);
    for (const name of this.handedOver) if (!this.taken.has(name)) throw new Error(`${name} was dropped`);
  }
}

const RUNS = { numRuns: 2_000, seed: 20_261_121 };

it('no two overlapping scopes are ever held, nobody waits for who makes no room, and all can end', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (events) => {
      const world = new World();
      for (const event of events) world.happen(event);
      world.settle();
    }),
    RUNS,
  );
});

it('every fault ends up with a run that deals with it, whatever is going on', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), scope, (events, where) => {
      const world = new World();
      for (const event of events) world.happen(event);
      world.happen({ what: 'fault', scope: where });
      const arrivals = Object.values(world.now.incidents).reduce((sum, { arrivals: n }) => sum + n, 0);
      expect(arrivals).toBeGreaterThan(0);
      expect(world.taken.size).toBe(world.handedOver.length);
    }),
    RUNS,
  );
});

it('who goes first is a strict order on overlapping scopes', () => {
  const some = fc.record({ scope, precedence }).map((asked) => claimOf('r', asked.scope, asked.precedence));
  fc.assert(
    fc.property(some, some, some, (a, b, c) => {
      fc.pre([a, b, c].every((one) => [a, b, c].every((other) => overlap(one.scope, other.scope))));
      expect(outranks(a, a)).toBe(false);
      if (outranks(a, b)) expect(outranks(b, a)).toBe(false);
      if (outranks(a, b) && outranks(b, c)) expect(outranks(a, c)).toBe(true);
    }),
    RUNS,
  );
});

it('an incident loses no alert that it has room for', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 60 }), { maxLength: 200 }), (fingerprints) => {
      const alertOf = (n: number) => ({ source: 'test', fingerprint: `${n}`, summary: 'down', faultAt: AT });
      const fault: Fault = {
        runbook: 'node-failover',
        input: {},
        scope: SCOPES[4]!,
        trigger: 'alert',
        alert: alertOf(0),
      };
      const incident = openIncident(nothingOpen(), fault, 'r1', AT);
      for (const n of fingerprints) attach(incident, { scope: fault.scope, alert: alertOf(n) });
      const distinct = new Set([0, ...fingerprints]).size;
      expect(incident.arrivals).toBe(fingerprints.length + 1);
      expect(incident.alerts).toHaveLength(Math.min(distinct, 50));
    }),
    RUNS,
  );
});
