import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { SwitchoverError } from '../core/errors';
import { elapsed } from '../core/report';
import { isOver, type RunReport, type RunState } from '../core/run';
import type { Sandbox } from '../sandbox';
import { CROWD, servingNodes, underLoad, wait } from '../sandbox/scenario';
import { follow, viewer } from './follow';
import { calls, type Shown } from './render/demo';
import { clip, wrap } from './render/text';
import type { Session } from './session';
import { lookOf, print, type Out } from './terminal';
import { whoAmI } from './who';

/** Where a tour is, and who watches it. */
export interface Tour {
  session: Session;
  sandbox: Sandbox;
  out: Out;
  /** Ends it early: what waits throws. */
  signal: AbortSignal;
}

/** Other regions than the first one, whose node the demo has just killed. */
const [DRILLED, DEPLOYED] = ['eu-central-1', 'ap-southeast-1'];
/** It answers its checks, and fails its calls half a minute after it has started. */
const BAD_RELEASE = '1.3.0';
/** A run may be refused for so long, ms: an incident is open until its last look. */
const ALLOWED_MS = 60_000;
const ENDS_MS = 600_000;
const TABLE = 'switchover_tour';

/**
 * A drill, a deploy that puts itself back, and a restore, one after the other, each live.
 * @throws TIMED_OUT with the report as details · SANDBOX where a run may not begin · anything, once the signal is aborted
 */
export async function showTour(tour: Tour): Promise<Shown[]> {
  return [await drill(tour), await deploy(tour), await backup(tour), await restore(tour)];
}

async function drill(tour: Tour): Promise<Shown> {
  heading(tour, 'A drill', [
    `A node of ${DRILLED} is killed on purpose, under clients of the drill's own. The drill repairs nothing: it waits for the run that`,
    'starts by itself, and judges by what its clients saw.',
  ]);
  const node = await wait(() => serving(tour.sandbox), ALLOWED_MS, tour.signal);
  return carryOut(tour, 'component-drill', { node, clients: 10, seconds: 30 }, 'succeeded');
}

async function deploy(tour: Tour): Promise<Shown> {
  heading(tour, 'A deploy that puts itself back', [
    `Release ${BAD_RELEASE} passes every check, and fails its calls half a minute later. It is brought to the first nodes of ${DEPLOYED}; then`,
    'MCP clients come.',
  ]);
  const { session, sandbox, signal, out } = tour;
  const input = { version: BAD_RELEASE, region: DEPLOYED, interval: '2m' };
  const run = await start(tour, 'rolling-deploy', input);
  // New ones, which come to nodes of both releases: those of before would be led there one by one.
  await wait(() => isWatched(session, run), ALLOWED_MS, signal);
  const crowd = { ...CROWD, region: DEPLOYED, sandbox, signal };
  const { result, load } = await underLoad(crowd, (clients) => {
    const below = () => ['', lookOf(out).colors.dim(clip(calls(clients.snapshot()), lookOf(out).width))];
    return stay(tour, run, 'rolled back', below);
  });
  print(out, [calls(load)]);
  return result;
}

async function isWatched({ operations }: Session, run: string): Promise<void> {
  const { steps, sentence } = await operations.show(run);
  if (!steps.some(({ title }) => title.startsWith('Watch')))
    throw new Error(`${run} is not watched yet: ${sentence}`);
}

async function backup(tour: Tour): Promise<Shown> {
  heading(tour, 'A restore', [
    'A backup of the database is taken first: what comes back is made of it and of the log since.',
  ]);
  return carryOut(tour, 'backup-full', {}, 'succeeded');
}

async function restore(tour: Tour): Promise<Shown> {
  const { sandbox, session, out } = tour;
  const copy = new URL(sandbox.databaseUrl);
  copy.host = session.config.backups!.scratch.restore;
  await sql(sandbox.databaseUrl, `CREATE TABLE IF NOT EXISTS ${TABLE} (note text)`);
  await sql(sandbox.databaseUrl, `INSERT INTO ${TABLE} VALUES ('right')`);
  const [now] = await sql(sandbox.databaseUrl, 'SELECT clock_timestamp() AS at');
  const at = (now!['at'] as Date).toISOString();
  await pause(10); // an instant is told to the millisecond, and the next row has to be later
  await sql(sandbox.databaseUrl, `INSERT INTO ${TABLE} VALUES ('a mistake')`);
  print(out, [
    '',
    `A row was written, then another by mistake. The database as it was between the two, at ${at}:`,
  ]);
  const shown = await carryOut(tour, 'restore-point-in-time', { at }, 'succeeded');
  const notes = async (url: string) =>
    (await sql(url, `SELECT note FROM ${TABLE}`)).map(({ note }) => JSON.stringify(note)).join(', ');
  if (shown.run.state === shown.expected)
    print(out, [
      `rows of the database: ${await notes(sandbox.databaseUrl)}`,
      `rows of the copy at ${copy.host}: ${await notes(copy.href)}`,
    ]);
  return shown;
}

function heading({ out }: Tour, title: string, text: string[]): void {
  const { colors, width } = lookOf(out);
  print(out, ['', colors.bold(title), ...wrap(text.join(' '), width), '']);
}

async function carryOut(
  tour: Tour,
  runbook: string,
  input: Record<string, unknown>,
  expected: RunState,
): Promise<Shown> {
  return stay(tour, await start(tour, runbook, input), expected);
}

/** Starts a run as the person who looks on. */
async function start(
  { session, signal }: Tour,
  runbook: string,
  input: Record<string, unknown>,
): Promise<string> {
  const ask = { runbook, input, mode: 'execute' as const, by: whoAmI(), door: 'the command line' };
  return (await wait(() => session.operations.start(ask), ALLOWED_MS, signal)).run;
}

/** Shows a run until it is over or needs somebody. */
async function stay(
  { session, out, signal }: Tour,
  run: string,
  expected: RunState,
  below?: () => string[],
): Promise<Shown> {
  const view = viewer(out, session.link, below);
  let report: RunReport | undefined;
  try {
    const ends = AbortSignal.any([signal, AbortSignal.timeout(ENDS_MS)]);
    report = await follow(session.operations, run, { view, enough, signal: ends });
    signal.throwIfAborted();
  } finally {
    view.end(report);
  }
  if (!report || !enough(report))
    throw new SwitchoverError('TIMED_OUT', `${run} is not over after ${elapsed(ENDS_MS)}`, report);
  return { run: report, expected };
}

const enough = ({ state }: RunReport): boolean => isOver(state) || state === 'needs attention';

async function serving(sandbox: Sandbox): Promise<string> {
  const [node] = await servingNodes(sandbox, DRILLED);
  if (!node) throw new Error(`no node of ${DRILLED} serves`);
  return node.id;
}

async function sql(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
