import { Readable } from 'node:stream';
import { Pool } from 'undici';
import type { Sandbox } from '../../sandbox';

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
}

/** After a 503 Alertmanager sends again; later than this, ms. */
const AGAIN_MS = 1_000;

/** Posts every alert in a request of its own, `atOnce` at a time, each until it is taken. @throws Error for any other answer */
export async function storm(
  alerts: readonly StormAlert[],
  atOnce: number,
  { urls, tokens }: Sandbox,
): Promise<StormResult> {
  const result: StormResult = {
    ackedMs: [],
    tookMs: 0,
    refused: 0,
    incidents: new Set(),
    runs: new Set(),
    ignored: 0,
  };
  const pool = new Pool(new URL(urls.api).origin, { connections: Math.min(atOnce, 500) });
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
      if (status !== 200) throw new Error(`the webhook answered ${status}: ${JSON.stringify(answer)}`);
      result.ackedMs.push(performance.now() - sentAt);
      if (answer.run && answer.incident) {
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

/** The server's resident memory, MiB. */
export async function serverMemory({ urls }: Sandbox): Promise<number> {
  const text = await (await fetch(new URL('/metrics', urls.api))).text();
  const bytes = /^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1];
  return Math.round(Number(bytes) / 2 ** 20);
}
