import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SwitchoverError } from '../../core/errors';
import { journalOf, type JournalReader } from '../../operations/journal';
import { catalogue } from '../catalogue';
import { chooseEnvironment } from '../environment';
import { auditPage, recoveryTable } from '../render/journal';
import { drillPage, judgedIn } from '../report/drill-page';
import { withSession } from '../session';
import { lookOf, print } from '../terminal';

const DAY_MS = 86_400_000;

/** How faults were recovered from in the last days. @throws JOURNAL_UNREACHABLE */
export async function mttr({ days, json }: { days: number; json?: boolean }): Promise<number> {
  const since = new Date(Date.now() - days * DAY_MS).toISOString();
  const failovers = catalogue.filter(({ kind }) => kind === 'failover').map(({ id }) => id);
  const rows = await withJournal((journal) => journal.recovery(failovers, since));
  print(
    process.stdout,
    json ? [JSON.stringify({ since, rows }, null, 2)] : recoveryTable(rows, since, lookOf(process.stdout)),
  );
  return 0;
}

/** The newest lines of the audit, and whether its chain is whole; status 1 where a row does not fit. @throws JOURNAL_UNREACHABLE */
export async function audit({ limit, json }: { limit: number; json?: boolean }): Promise<number> {
  const found = await withJournal(async (journal) => ({
    check: await journal.verify(),
    entries: await journal.audit(limit),
  }));
  print(process.stdout, json ? [JSON.stringify(found, null, 2)] : auditPage(found, lookOf(process.stdout)));
  return found.check.misfit ? 1 : 0;
}

async function withJournal<T>(ask: (journal: JournalReader) => Promise<T>): Promise<T> {
  const file = await chooseEnvironment();
  const { loadConfig } = await import('../../operations/index.js');
  const config = loadConfig(file);
  const journal = journalOf(config);
  if (!journal)
    throw new SwitchoverError(
      'BAD_CONFIG',
      `journal: environment ${config.environment} has none (for example {"url": {"env": "SWITCHOVER_DATABASE_URL"}})`,
    );
  try {
    return await ask(journal);
  } finally {
    await journal.close();
  }
}

/** Writes the report of a drill as a page, and beside it as JSON; prints the verdict and where they are. */
export async function drillReport(
  run: string,
  { out = '.', json }: { out?: string; json?: boolean },
): Promise<number> {
  const report = await withSession(({ operations }) => operations.show(run));
  const judged = judgedIn(report);
  const found = { run: report, ...judged };
  if (json) {
    print(process.stdout, [JSON.stringify(found, null, 2)]);
    return 0;
  }
  const file = join(out, `drill-${run}`);
  writeFileSync(`${file}.html`, drillPage(report));
  writeFileSync(`${file}.json`, `${JSON.stringify(found, null, 2)}\n`);
  print(process.stdout, [
    `${judged.verdict.outcome}: ${judged.verdict.sentence}`,
    `  ${file}.html`,
    `  ${file}.json`,
  ]);
  return 0;
}
