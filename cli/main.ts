import { CommanderError } from 'commander';
import { complain } from './errors';
import { program } from './program';

/** The `switchover` command. Sets the exit status of DESIGN section 10 and lets the process end by itself. */
async function main(argv: string[]): Promise<void> {
  try {
    await program((status) => (process.exitCode = status)).parseAsync(argv, { from: 'user' });
  } catch (error) {
    const wasHelp = error instanceof CommanderError;
    process.exitCode = wasHelp
      ? 2 * Math.sign(error.exitCode)
      : complain(error, process.stderr, argv.includes('--json'));
  }
}

void main(process.argv.slice(2));
