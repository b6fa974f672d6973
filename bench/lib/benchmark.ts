import { Command } from 'commander';
import { count } from '../../cli/arguments';
import { complain, UsageError } from '../../cli/errors';
import { interruption } from '../../cli/interrupt';
import { printReport, type BenchReport } from './report';

/** The options every benchmark has. */
export interface BenchOptions {
  repeats: number;
  json?: boolean;
}

/** What a benchmark is. */
export interface Benchmark {
  /** Its folder's name: `npm run bench -- NAME`. */
  name: string;
  what: string;
  /** How often each thing is measured where `--repeats` does not say. */
  repeats: number;
  /** Does the work; says how it goes on standard error. Ends early, and cleans up, once `stop` is aborted. */
  measure(options: BenchOptions, stop: AbortSignal): Promise<BenchReport>;
}

/**
 * Runs a benchmark as the process's main: reads the command line, measures, prints the report.
 * Exit status: 0 measured, whether objectives were met or not · 2 bad arguments · else as the error table says; 128 and
 * the signal's number where a signal ended it.
 */
export async function benchmark({ name, what, repeats, measure }: Benchmark): Promise<void> {
  const command = new Command(`npm run bench -- ${name}`)
    .description(what)
    .option('--repeats <count>', 'how often each thing is measured', count, repeats)
    .option('--json', 'one JSON object as the last line of output')
    .configureOutput({ outputError: () => undefined })
    .exitOverride((error) => {
      if (error.exitCode === 0) process.exit(0);
      throw new UsageError(
        error.message.replace(/^error: /, ''),
        `npm run bench -- ${name} --repeats ${repeats}`,
      );
    });
  const stop = interruption();
  try {
    const options = command.parse().opts<BenchOptions>();
    printReport(await measure(options, stop), options.json);
  } catch (error) {
    process.exitCode = stop.aborted ? (stop.reason as number) : complain(error, process.stderr, false);
  }
}
