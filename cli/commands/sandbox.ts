import { breakPart, down as end, healPart, status as look, up as bring, type Settings } from '../../sandbox';
import { showProgress } from '../progress';
import { sandboxPage, upPage } from '../render/sandbox';
import { parseTarget } from '../target';
import { lookOf, print } from '../terminal';

interface BlockOption {
  block?: number;
}

type UpOptions = Partial<Settings> & { json?: boolean };

/** Brings the sandbox up and shows where everything is. */
export async function up({ json, ...given }: UpOptions): Promise<number> {
  // Commander's negatable options are true where they are not given; leave those to the sandbox.
  const { server, monitoring, database, backups, sentinel, dns, ...rest } = given;
  const options = {
    ...rest,
    ...(server === false ? { server } : {}),
    ...(monitoring === false ? { monitoring } : {}),
    ...(database === false ? { database } : {}),
    ...(backups === false ? { backups } : {}),
    ...(sentinel === false ? { sentinel } : {}),
    ...(dns === false ? { dns } : {}),
  };
  const out = json ? process.stderr : process.stdout;
  const sandbox = await showProgress(out, (onProgress) => bring(options, onProgress));
  const { dir, configPath, temporalAddress, urls } = sandbox;
  const facts = { dir, configPath, temporalAddress, urls };
  print(process.stdout, json ? [JSON.stringify(facts, null, 2)] : upPage(sandbox, lookOf(process.stdout)));
  return 0;
}

/** Ends the sandbox and removes what it made. */
export async function down(options: BlockOption): Promise<number> {
  const { dir, processes } = await end(options);
  print(process.stdout, [
    processes === 0 ? `No sandbox ran in ${dir}.` : `Ended ${processes} processes and removed ${dir}.`,
  ]);
  return 0;
}

/** Shows what runs of the sandbox; status 1 unless all does. */
export async function status({ json, ...options }: BlockOption & { json?: boolean }): Promise<number> {
  const found = await look(options);
  print(process.stdout, json ? [JSON.stringify(found, null, 2)] : sandboxPage(found, lookOf(process.stdout)));
  return found.state === 'up' ? 0 : 1;
}

/** Breaks a part of the sandbox for real. */
export async function breakTarget(
  target: string,
  fault: string,
  { latency, share, ...options }: BlockOption & { latency?: number; share?: number },
): Promise<number> {
  const severity = { latencyMs: latency, share };
  print(process.stdout, [await breakPart(options, parseTarget(target), fault, severity)]);
  return 0;
}

/** Takes the faults of a part away. */
export async function healTarget(
  target: string,
  { restart, ...options }: BlockOption & { restart?: boolean },
): Promise<number> {
  print(process.stdout, [await healPart(options, parseTarget(target), restart)]);
  return 0;
}
