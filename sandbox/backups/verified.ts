import type { RepositoryCheck } from '../../core/backup';

const TOTAL = /^ {2}\S.*total (?:WAL|files) checked: (\d+)/;
/** A worker of pgBackRest has something against a file. */
const DAMAGED = /P\d\d +INFO: (.*'[^']+')$/;
const RANGE = /archiveId: \S+, wal start: ([0-9A-F]{24}), wal stop: ([0-9A-F]{24})/;
const TIMELINE = 8;

/**
 * What `pgbackrest verify --output=text --verbose` said, at the log level `detail`, versions 2.41 to 2.54. It lists every stretch of the
 * log without a gap, and holds nothing against a gap between two of them: a backup from before it leads nowhere beyond.
 * @throws Error where it says that something is wrong, but not what
 */
export function verified(said: readonly string[]): RepositoryCheck {
  const files = said.reduce((sum, line) => sum + Number(TOTAL.exec(line)?.[1] ?? 0), 0);
  const damaged = [...new Set([...said.flatMap((line) => DAMAGED.exec(line)?.[1] ?? []), ...gaps(said)])];
  if (damaged.length === 0 && !said.includes('status: ok'))
    throw new Error(`pgBackRest finds the repository in disorder: ${said.slice(-8).join('; ')}`);
  return { files, damaged };
}

function gaps(said: readonly string[]): string[] {
  const stretches = said.flatMap((line) => {
    const [, from, to] = RANGE.exec(line) ?? [];
    return from && to ? [{ from, to }] : [];
  });
  return stretches.flatMap(({ to }, index) => {
    const next = stretches[index + 1]?.from;
    return next?.slice(0, TIMELINE) === to.slice(0, TIMELINE)
      ? [`segments of the log are missing between '${to}' and '${next}'`]
      : [];
  });
}
