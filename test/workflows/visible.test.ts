import { timeline } from '../../core/report';
import type { RunState } from '../../core/run';
import { attributes, initialAttributes } from '../../workflows/attributes';
import { decisions } from '../../workflows/messages';
import { fails, hangs, useLab, works, NODE, SCOPE, type LabRun } from './lab';

const lab = useLab();

async function metadata(run: LabRun): Promise<Metadata> {
  return run.handle.query<Metadata>('__temporal_workflow_metadata');
}

/** What the Temporal UI shows of the run beside its history. */
async function shown(run: LabRun) {
  const { typedSearchAttributes } = await run.handle.describe();
  const { currentDetails } = await metadata(run);
  return { state: typedSearchAttributes.get(attributes.runState), details: currentDetails };
}

/** What it ought to show: the state, and the timeline of the report. */
async function expected(run: LabRun, state: RunState) {
  return { state, details: timeline(await run.report()) };
}

interface Metadata {
  currentDetails: string;
  definition: Record<'queryDefinitions' | 'updateDefinitions', { name: string; description: string }[]>;
}

describe('in the Temporal UI', () => {
  it('a run is found by runbook, scope, region, mode and incident', async () => {
    const run = await lab().start({
      lines: [],
      mode: 'drill',
      warrant: { incident: { id: 'INC-1', faultAt: '2026-11-21T12:00:00.000Z', alerts: [] } },
    });
    await run.ends();
    const { typedSearchAttributes: values } = await run.handle.describe();
    const found = Object.entries(attributes).map(([name, key]) => [name, values.get(key)]);
    expect(Object.fromEntries(found)).toEqual({
      runbook: 'lab-undo',
      scope: SCOPE,
      region: 'us-east-1',
      mode: 'drill',
      incident: 'INC-1',
      runState: 'succeeded',
      severity: undefined,
    });
  });

  it.each([
    { form: 'an empty form', copied: undefined },
    {
      form: 'a form filled from another run',
      copied: initialAttributes({ runbook: 'lab-ask', scope: 'global', mode: 'plan', state: 'planned' }),
    },
  ])('a run started there by $form is found just so', async ({ copied }) => {
    const run = await lab().startInUi('lab-undo', { input: { node: NODE, lines: [] } }, {}, copied);
    await run.ends();
    const { typedSearchAttributes: values } = await run.handle.describe();
    expect(values.get(attributes.runbook)).toBe('lab-undo');
    expect(values.get(attributes.scope)).toBe(SCOPE);
    expect(values.get(attributes.mode)).toBe('execute');
    expect(values.get(attributes.runState)).toBe('succeeded');
  });

  it('state and timeline follow the run', async () => {
    const run = await lab().start({
      runbook: 'lab-ask',
      lines: ['act drain', 'act move', 'watch service'],
      script: {
        'act drain': hangs(),
        'act move': [fails('no such session'), works],
        'call ada': hangs(),
        'look service': hangs(),
      },
    });
    await run.world.begins('act drain');
    expect(await shown(run)).toEqual(await expected(run, 'running'));
    run.world.release('act drain');
    await run.world.begins('call ada');
    expect(await shown(run)).toEqual(await expected(run, 'needs attention'));
    expect((await run.report()).sentence).toMatch(/^act move: no such session/);
    run.world.release('call ada');
    await run.hasCalled();
    await run.decide('retry', { reason: 'the store is back' });
    await run.world.begins('look service');
    expect(await shown(run)).toEqual(await expected(run, 'watching'));
    run.world.release('look service');
    await run.ends();
    expect(await shown(run)).toEqual(await expected(run, 'succeeded'));
  });

  it('a run says in one line what it is', async () => {
    const run = await lab().start({ lines: [] });
    await run.ends();
    const { staticSummary } = await run.handle.describe();
    expect(await staticSummary()).toBe(`lab-undo on ${SCOPE} (execute)`);
  });

  it('an activity is named after its step', async () => {
    const run = await lab().start({ lines: ['act drain', 'verify health', { quickly: 'act restart' }] });
    await run.ends();
    const { events } = await run.handle.fetchHistory();
    const summaries = (events ?? [])
      .filter((event) => event.activityTaskScheduledEventAttributes)
      .map((event) => JSON.parse(Buffer.from(event.userMetadata!.summary!.data!).toString()));
    expect(summaries).toEqual(['Record its lock', 'act drain', 'verify health']);
  });

  it('every decision and the report are described', async () => {
    const run = await lab().start({ lines: [] });
    await run.ends();
    const { definition } = await metadata(run);
    const described = ({ description }: { description: string }) => description.length > 10;
    expect(definition.updateDefinitions.filter(described).map(({ name }) => name)).toEqual(
      expect.arrayContaining(Object.keys(decisions)),
    );
    expect(definition.queryDefinitions.filter(described).map(({ name }) => name)).toContain('report');
  });
});
