import { Readable } from 'node:stream';
import { Pool } from 'undici';
import type { Sandbox } from '../../sandbox';
import { until } from '../lib/until';

/** An alert as Alertmanager sends it, as far as a storm has different ones. */
export interface StormAlert {
  labels: Record<string, string>;
  status: 'firing' | 'resolved';
  fingerprint: string;
  startsAt: string;
}

/** What a storm came to. */
export interface StormResult {
  /** From the sending of an alert to the answer that took it, repeats after a 503 included; ms. */
  ackedMs: number[];
  /** All of it, ms. */
  tookMs: number;
  /** Sendings that were answered with 503: send it again. */
  refused: number;
  incidents: Set<string>;
  /** Runs that the answers name. */
  runs: Set<string>;
  /** Alerts that started nothing and joined nothing. */
  ignored: number;
  /** Alerts that were answered as being kept, before it was known what deals with them. */
  kept: number;
  /** From the beginning until every one of them was dealt with, ms. */
  dealtMs: number;
}

/** After a 503 Alertmanager sends again; later than this, ms. */
const AGAIN_MS = 1_000;

/** Posts every alert in a request of its own, `atOnce` at a time, each until it is taken. @throws Error for any other answer */
export async function storm(
  alerts: readonly StormAlert[],
  atOnce: number,
  sandbox: Sandbox,
): Promise<StormResult> {
  const { urls, tokens } = sandbox;
  const result: StormResult = {
    ackedMs: [],
    tookMs: 0,
    refused: 0,
    incidents: new Set(),
    runs: new Set(),
    ignored: 0,
    kept: 0,
    dealtMs: 0,
  };
  const pool = new Pool(new URL(urls.api).origin, { connections: Math.min(atOnce, 500) });
  const before = await dealtWith(sandbox);
  const began = performance.now();
  const post = async (alert: StormAlert): Promise<void> => {
    const sentAt = performance.now();
    for (;;) {
      const { status, answer } = await send(pool, tokens.alertmanager, alert);
      if (status === 503) {
        result.refused += 1;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        continue;
      }
      if (status !== 200 && status !== 202)
        throw new Error(`the webhook answered ${status}: ${JSON.stringify(answer)}`);
      result.ackedMs.push(performance.now() - sentAt);
      if (status === 202) result.kept += 1;
      else if (answer.run && answer.incident) {
        result.runs.add(answer.run);
        result.incidents.add(answer.incident);
      } else result.ignored += 1;
      return;
    }
  };
  try {
    await Readable.from(alerts).forEach(post, { concurrency: atOnce });
  } finally {
    await pool.close();
  }
  result.tookMs = performance.now() - began;
  await until('all of them are dealt with', async () => (await dealtWith(sandbox)) >= before + alerts.length);
  result.dealtMs = performance.now() - began;
  return result;
}

async function send(
  pool: Pool,
  token: string,
  alert: StormAlert,
): Promise<{ status: number; answer: { run?: string; incident?: string } }> {
  const { statusCode, body } = await pool.request({
    path: '/webhooks/alertmanager',
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      version: '4',
      status: alert.status,
      receiver: 'bench',
      alerts: [{ ...alert, annotations: {} }],
    }),
  });
  return { status: statusCode, answer: (await body.json()) as { run?: string; incident?: string } };
}

/** Alerts of which the server knows what became of them, whether it had answered before or not. */
async function dealtWith(sandbox: Sandbox): Promise<number> {
  const samples = (await metrics(sandbox)).matchAll(
    /^switchover_alerts_total\{.*result="(?:opened|joined|ignored)".*\} (\d+)$/gm,
  );
  return [...samples].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function metrics({ urls }: Sandbox): Promise<string> {
  return (await fetch(new URL('/metrics', urls.api))).text();
}

/** The server's resident memory, MiB. */
export async function serverMemory(sandbox: Sandbox): Promise<number> {
  const text = await metrics(sandbox);
  const bytes = /^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1];
  return Math.round(Number(bytes) / 2 ** 20);
}
