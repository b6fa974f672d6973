import { catalogue } from '../../operations';
import { keepTemplates, startForm, templateId } from '../../operations/templates';
import { testFleet, type TestFleet } from '../harness/fleet';
import { smallSandbox } from '../harness/sandbox';
import { TemporalUi } from '../harness/temporal-ui';

/**
 * A person who has nothing but the Temporal UI: its prefilled start form, its live details and its dialog of updates, in a
 * real Chromium on a sandbox of its own. `SCREENSHOTS=1` writes the pictures of docs/temporal-ui.md.
 */
let fleet: TestFleet;
let ui: TemporalUi;

beforeAll(async () => {
  fleet = await testFleet({ ...smallSandbox(7), workers: 1 });
  ui = await TemporalUi.open(fleet.sandbox.urls.temporalUi);
});
afterAll(async () => {
  await ui?.close();
  await fleet?.close();
});

const template = templateId('sandbox', 'node-failover');
const planned = {
  input: { node: 'us-east-1/a/n1' },
  mode: 'plan',
  by: 'somebody in the Temporal UI',
  reason: 'not given',
};

it('a run is started from the template, approved in its dialog and watched live', async () => {
  const run = 'a-n1-is-slow';
  await ui.list('WorkflowId STARTS_WITH "template-"');
  await ui.openFormLike(template);
  expect(await ui.form()).toEqual({
    workflowType: 'nodeFailover',
    taskQueue: 'switchover',
    request: planned,
  });
  await ui.picture('form', 1720);

  const { input } = planned;
  await ui.submit(run, { input, mode: 'execute', by: 'grace', reason: 'a-n1 answers slowly' });
  await ui.follow();
  await ui.details('WAITING FOR APPROVAL');
  // With its alert the run would go on without approval.
  await fleet.client.workflow.getHandle('monitor-sandbox-us-east-1').terminate();
  await fleet.break(input.node, 'kill');
  await ui.picture('waiting', 1050);

  const dialog = await ui.prepareUpdate('approve', { by: 'ada', reason: 'seen on the dashboard' });
  await ui.picture('approve');
  await dialog.getByRole('button', { name: 'Submit' }).click();
  await fleet.reaches(run, 'recovered');
  await ui.show(run, 'Completed');
  await ui.page.getByText('watchService • Prove it through the load balancer').waitFor();
  await ui.picture('timeline', 1200);
  await ui.details('RECOVERED');
  await ui.details('approve by ada: seen on the dashboard');
  await ui.picture('recovered', 1350);
});

it('a bad input fails the run at once, with a sentence that names the field', async () => {
  await ui.openForm(startForm('sandbox', 'node-failover'));
  expect((await ui.form()).request).toEqual(planned);
  await ui.submit('wrong-node', { ...planned, input: { node: 'us-east-1/a/n99' } });
  await ui.follow();
  await ui.show('wrong-node', 'Failed');
  await ui.page
    .getByText(/input\.node: .*us-east-1\/a\/n99.* is not a node/)
    .first()
    .waitFor();
  await ui.picture('failed', 600);
});

it('an update that says not who decides is refused in its dialog, with the field', async () => {
  await ui.openForm(startForm('sandbox', 'node-failover'));
  await ui.form();
  await ui.submit('to-be-rejected', { input: { node: 'us-east-1/b/n1' }, mode: 'execute' });
  await ui.follow();
  const dialog = await ui.prepareUpdate('reject', { reason: 'wrong node' });
  await dialog.getByRole('button', { name: 'Submit' }).click();
  await dialog.getByText('reject: by: must say who decides').first().waitFor();
});

it('the list finds runs by what they are about, and templates are not among them', async () => {
  await ui.list('Scope = "node/us-east-1/a/n1" AND RunState = "recovered"');
  await ui.line('a-n1-is-slow').waitFor();
  await ui.list('RunState IN ("waiting for approval", "recovered")');
  await ui.line('to-be-rejected').waitFor();
  await ui.picture('list', 500);
  await ui.list('Runbook IS NOT NULL');
  await ui.line('a-n1-is-slow').waitFor();
  expect(await ui.line(template).count()).toBe(0);
});

it('a form sent with the name of the template itself starts nothing', async () => {
  await ui.openForm(startForm('sandbox', 'node-failover'));
  await ui.form();
  await ui.submit(template, planned);
  await ui.page.getByText('Workflow execution is already running').waitFor();
});

describe('templates', () => {
  const runId = async () => (await fleet.client.workflow.getHandle(template).describe()).runId;
  const keep = (runbooks = catalogue) => keepTemplates(fleet.client, 'sandbox', runbooks);

  it('stay as they are, however many workers see to them', async () => {
    const before = await runId();
    await Promise.all([keep(), keep()]);
    expect(await runId()).toBe(before);
  });

  it('are replaced when their runbook changes', async () => {
    const before = await runId();
    const changed = catalogue.map((runbook) => ({ ...runbook, example: { node: 'us-east-1/b/n1' } }));
    await Promise.all([keep(changed), keep(changed)]);
    const after = await runId();
    expect(after).not.toBe(before);
    const { status } = await fleet.client.workflow.getHandle(template, before).describe();
    expect(status.name).toBe('TERMINATED');
  });

  it('are in no list of runs and hold no lock', async () => {
    const runs = await fleet.operations.list({ limit: 100 });
    expect(runs.map(({ run }) => run)).not.toContain(template);
    const { locks } = await fleet.operations.coordination();
    expect(Object.values(locks).map(({ run }) => run)).not.toContain(template);
  });
});
