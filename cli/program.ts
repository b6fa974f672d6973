import { Command, Option } from 'commander';
import { DECISIONS, MODES, type DecisionKind } from '../core/run';
import { collect, count, duration } from './arguments';
import { UsageError } from './errors';
import { block, sandboxCommand } from './sandbox-command';
import { lazily, type Finish } from './lazy';

const RUN = 'node-failover-us-east-1-a-n1-1121-120533';

/** What each decision does, as help says it. */
const DECIDES: Record<DecisionKind, string> = {
  approve: 'agree that a run may act',
  reject: 'refuse a run that waits for approval; nothing is touched',
  pause: 'stop a run before its next step',
  resume: 'let a paused run go on',
  abort: 'stop a run and undo what it did',
  force: 'give up what a run does gracefully, for its forced way',
  skip: 'go on without the step that failed',
  retry: 'try the step that failed again',
  acknowledge: 'say that you are on it, so that nobody else is called',
};

/** A right command line for each command, shown in its help and beside every error about its options. */
const EXAMPLES: Record<string, string> = {
  switchover: './switchover run node-failover --set node=us-east-1/a/n1 --follow',
  runbook: './switchover runbook node-failover',
  run: './switchover run node-failover --set node=us-east-1/a/n1 --follow',
  runs: './switchover runs --limit 5',
  show: `./switchover show ${RUN}`,
  watch: `./switchover watch ${RUN}`,
  abort: `./switchover abort ${RUN} --reason "wrong node" --keep`,
  lever: './switchover lever engage --reason "the monitor is wrong"',
  engage: './switchover lever engage --reason "the monitor is wrong"',
  release: './switchover lever release --reason "the monitor is mended"',
  check: './switchover check --again',
  mttr: './switchover report mttr --days 30',
  audit: './switchover report audit --limit 50',
  schedules: './switchover schedules',
  trigger: './switchover schedules trigger backup-full --reason "before the migration"',
  worker: './switchover worker --region us-east-1',
  sandbox: './switchover sandbox up',
  demo: './switchover demo --exit --json',
  ...Object.fromEntries(
    DECISIONS.filter((kind) => kind !== 'abort').map((kind) => [
      kind,
      `./switchover ${kind} ${RUN} --reason "seen on the dashboard"`,
    ]),
  ),
};

/**
 * The command line of DESIGN section 10. Defining it loads no command: each loads itself when it is called.
 * @param finish takes the exit status of the command that was called.
 */
export function program(finish: Finish): Command {
  const root = new Command('switchover')
    .description('Durable runbooks that keep an MCP server fleet and its data stores alive.')
    .usage('COMMAND [options]');
  runbookCommands(root, finish);
  decisionCommands(root, finish);
  leverCommand(root, finish);
  scheduleCommands(root, finish);
  drillsCommand(root, finish);
  environmentCommands(root, finish);
  root.addCommand(sandboxCommand(finish).helpGroup('Environment:'));
  demoCommand(root, finish);
  everyCommand(root).forEach(strict);
  return root;
}

function runbookCommands(root: Command, finish: Finish): void {
  root.commandsGroup('Runbooks and runs:');
  root
    .command('runbooks')
    .description('list the runbooks')
    .option('--json', 'as JSON')
    .action(lazily(finish, async (options) => (await import('./commands/runbooks.js')).runbooks(options)));
  root
    .command('runbook')
    .description('what a runbook is for, what it takes, how to start it')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(
      lazily(finish, async (id, options) => (await import('./commands/runbooks.js')).runbook(id, options)),
    );
  runCommand(root, finish);
  root
    .command('runs')
    .description('list the newest runs')
    .option('--limit <count>', 'at most this many', count, 20)
    .option('--runbook <id>', 'only of this runbook')
    .option('--json', 'as JSON')
    .action(lazily(finish, async (options) => (await import('./commands/runs.js')).runs(options)));
  root
    .command('show')
    .description('show a run as it stands')
    .argument('<run>')
    .option('--json', 'the report, alone on standard output')
    .action(lazily(finish, async (run, options) => (await import('./commands/runs.js')).show(run, options)));
  root
    .command('watch')
    .description('watch a run until it is over; the exit status is its outcome')
    .argument('<run>')
    .option('--json', 'at the end the report, alone on standard output')
    .option('--timeout <duration>', 'give up after this long; the run goes on', duration)
    .action(lazily(finish, async (run, options) => (await import('./commands/runs.js')).watch(run, options)));
}

function runCommand(root: Command, finish: Finish): void {
  root
    .command('run')
    .description('start a runbook, or join the run that is already at it')
    .argument('<runbook>')
    .option('--input <json>', 'its input: JSON, @file (JSON or YAML), or - for standard input')
    .option('--set <key=value>', 'one field of the input, over --input; may be repeated', collect)
    .addOption(
      new Option('--mode <mode>', 'plan predicts, drill breaks something itself first')
        .choices(MODES)
        .default('execute'),
    )
    .option('--wait', 'wait for its end; the exit status is its outcome')
    .option('--follow', 'the same, and show it live')
    .option('--json', 'the report, alone on standard output')
    .option(
      '--timeout <duration>',
      'give up waiting after this long; the run goes on (default: 10m with --wait)',
      duration,
    )
    .option('--key <key>', 'idempotency key: the same key gives the same run')
    .option('--reason <text>', 'why; ends up in the report')
    .option('--plan <run>', 'the plan (--mode plan) it carries out; the report tells where it deviates')
    .addHelpText('after', EXIT_HELP)
    .action(lazily(finish, async (id, options) => (await import('./commands/run.js')).run(id, options)));
}

const EXIT_HELP = `
Exit status:
  0 recovered or succeeded    3 rolled back                    6 timed out
  1 failed                    4 needs attention or escalated   7 inconclusive
  2 bad input                 5 refused by a guard or policy`;

function decisionCommands(root: Command, finish: Finish): void {
  root.commandsGroup('Decisions on a run:');
  for (const kind of DECISIONS) {
    const command = root
      .command(kind)
      .description(DECIDES[kind])
      .argument('<run>')
      .requiredOption('--reason <text>', 'why; ends up in the report')
      .action(
        lazily(finish, async (run, options) =>
          (await import('./commands/decide.js')).decide(kind, run, options),
        ),
      );
    if (kind === 'abort') command.option('--keep', 'leave what was done as it is');
  }
}

function leverCommand(root: Command, finish: Finish): void {
  const lever = root.command('lever').description('stop all automation, or let it go on');
  for (const [name, what] of Object.entries(LEVER)) {
    lever
      .command(name)
      .description(what)
      .requiredOption('--reason <text>', 'why; everybody is told')
      .action(
        lazily(finish, async (options) =>
          (await import('./commands/lever.js')).lever(name === 'engage', options),
        ),
      );
  }
}

function scheduleCommands(root: Command, finish: Finish): void {
  const schedules = root
    .command('schedules')
    .description('what is carried out by itself: when, what was missed')
    .option('--json', 'as JSON')
    .action(lazily(finish, async (options) => (await import('./commands/schedules.js')).schedules(options)));
  for (const [verb, what] of Object.entries(SCHEDULE)) {
    schedules
      .command(verb)
      .description(what)
      .argument('<name>')
      .requiredOption('--reason <text>', 'why; it is kept')
      .action(
        lazily(finish, async (name, options) =>
          (await import('./commands/schedules.js')).move(verb as keyof typeof SCHEDULE, name, options),
        ),
      );
  }
}

function drillsCommand(root: Command, finish: Finish): void {
  root
    .command('drills')
    .description('list the newest drills')
    .option('--limit <count>', 'at most this many', count, 20)
    .option('--json', 'as JSON')
    .action(
      lazily(finish, async (options) =>
        (await import('./commands/runs.js')).runs({ ...options, runbook: 'component-drill' }),
      ),
    );
}

const SCHEDULE = {
  trigger: 'carry out now what a schedule carries out',
  pause: 'have a schedule start nothing more',
  resume: 'let a paused schedule go on',
};

const LEVER = {
  engage: 'pause every automatic run and start none',
  release: 'let automatic runs go on, after looking again',
};

const CHECK_HELP = `
Exit status:
  0 every runbook is ready, or has warnings at most      5 a runbook is not ready
  2 the file has problems                                7 how runbooks stand is not known`;

const REPORT_HELP = `
Exit status:
  0 told    1 the journal does not answer; audit: a row does not fit`;

function reportCommand(root: Command, finish: Finish): void {
  const report = root.command('report').description('what was measured: mttr, audit, drill RUN');
  report
    .command('mttr')
    .description('recovery by runbook and level: MTTR, MTBF, objectives met')
    .option('--days <count>', 'of the last so many days', count, 90)
    .option('--json', 'as JSON')
    .addHelpText('after', REPORT_HELP)
    .action(lazily(finish, async (options) => (await import('./commands/report.js')).mttr(options)));
  report
    .command('audit')
    .description('who did what and why, and whether anybody has changed that since')
    .option('--limit <count>', 'the newest so many lines', count, 20)
    .option('--json', 'as JSON')
    .addHelpText('after', REPORT_HELP)
    .action(lazily(finish, async (options) => (await import('./commands/report.js')).audit(options)));
  report
    .command('drill')
    .description('what a drill saw and how it was judged: a page with a plot, and JSON')
    .argument('<run>')
    .option('--out <folder>', 'where the files go', '.')
    .option('--json', 'as JSON on standard output, and no files')
    .action(
      lazily(finish, async (run, options) =>
        (await import('./commands/report.js')).drillReport(run, options),
      ),
    );
}

function environmentCommands(root: Command, finish: Finish): void {
  root.commandsGroup('Environment:');
  root
    .command('status')
    .description('the fleet, open incidents and locks')
    .option('--json', 'as JSON')
    .action(lazily(finish, async (options) => (await import('./commands/status.js')).status(options)));
  root
    .command('check')
    .description(
      'check the environment file (SWITCHOVER_CONFIG), and whether the runbooks could be carried out',
    )
    .option('--file', 'the file alone: nothing is contacted')
    .option('--again', 'look at everything now instead of showing the last evaluation')
    .option('--json', 'as JSON')
    .addHelpText('after', CHECK_HELP)
    .action(lazily(finish, async (options) => (await import('./commands/check.js')).check(options)));
  reportCommand(root, finish);
  root
    .command('server')
    .description('run the API server')
    .action(lazily(finish, async () => (await import('./commands/services.js')).server()));
  root
    .command('worker')
    .description('run a worker')
    .option('--region <region>', 'where it stands')
    .action(lazily(finish, async () => (await import('./commands/services.js')).worker()));
}

function demoCommand(root: Command, finish: Finish): void {
  root
    .command('demo')
    .helpGroup('Environment:')
    .description('bring a sandbox up, kill a node under live MCP clients, watch it being healed')
    .option('--tour', 'then a drill, a deploy that puts itself back, and a restore: 2 minutes')
    .option('--exit', 'take the sandbox down at the end; else it stays')
    .option('--json', 'the result, alone on standard output')
    .addOption(block())
    .addHelpText('after', EXIT_HELP)
    .action(lazily(finish, async (options) => (await import('./commands/demo.js')).demo(options)));
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** Errors about the command's arguments become UsageErrors with its example, printed by whoever called the program. */
function strict(command: Command): void {
  const example = EXAMPLES[command.name()] ?? `./switchover ${command.name()}`;
  if (command.parent && EXAMPLES[command.name()]) command.addHelpText('after', `\nExample:\n  ${example}`);
  command.configureOutput({ outputError: () => undefined }).exitOverride((error) => {
    if (error.exitCode === 0 || error.code === 'commander.help') throw error;
    throw new UsageError(error.message.replace(/^error: /, '').replaceAll('\n', ' '), example);
  });
}
