import { findRunbook } from '../../core/runbook';
import { catalogue } from '../catalogue';
import { runbookPage } from '../render/runbook';
import { runbooksTable } from '../render/tables';
import { lookOf, print } from '../terminal';

/** Lists the runbooks. */
export async function runbooks({ json }: { json?: boolean }): Promise<number> {
  print(
    process.stdout,
    json ? [JSON.stringify(catalogue, null, 2)] : runbooksTable(catalogue, lookOf(process.stdout)),
  );
  return 0;
}

/** Shows what a runbook is for, what it takes, and how to start it. */
export async function runbook(id: string, { json }: { json?: boolean }): Promise<number> {
  const found = findRunbook(catalogue, id);
  print(process.stdout, json ? [JSON.stringify(found, null, 2)] : runbookPage(found, lookOf(process.stdout)));
  return 0;
}
