import type { Way } from '../../core/ways';
import { SwitchoverError } from '../../core/errors';
import { as, withServer } from './harness';

const way: Way = {
  from: 'us-east-1',
  to: 'eu-central-1',
  state: 'lossy',
  probes: 20,
  lost: 5,
  p50Ms: 12,
  p95Ms: 40,
};
const unanswered: Way = { ...way, to: 'sa-east-1', lost: 20, p50Ms: null, p95Ms: null };

it('the ways between regions are among the metrics', async () =>
  withServer(async ({ app, operations }) => {
    operations.seen = [way, unanswered];
    const { body } = await app.inject({ url: '/metrics' });
    for (const line of [
      'switchover_way_loss_ratio{from="us-east-1",to="eu-central-1"} 0.25',
      'switchover_way_loss_ratio{from="us-east-1",to="sa-east-1"} 1',
      'switchover_way_latency_seconds{from="us-east-1",to="eu-central-1",quantile="0.5"} 0.012',
      'switchover_way_latency_seconds{from="us-east-1",to="eu-central-1",quantile="0.95"} 0.04',
    ])
      expect(body).toContain(`${line}\n`);
    expect(body).not.toContain('switchover_way_latency_seconds{from="us-east-1",to="sa-east-1"');
  }));

it('a way that nobody looks at any more is told of no longer, nor is any while Temporal is away', async () =>
  withServer(async ({ app, operations }) => {
    const told = async () => (await app.inject({ url: '/metrics' })).body.includes('to="eu-central-1"');
    operations.seen = [way];
    expect(await told()).toBe(true);
    operations.seen = [];
    expect(await told()).toBe(false);
    operations.seen = [way];
    operations.failure = new SwitchoverError('TEMPORAL_UNREACHABLE', 'Temporal does not answer');
    expect(await told()).toBe(false);
  }));

it('each region of the topology has the ways out of it', async () =>
  withServer(async ({ app, operations }) => {
    operations.seen = [way, { ...way, from: 'eu-central-1', to: 'us-east-1' }];
    const answer = await app.inject({ url: '/api/v1/topology', headers: as('vera') });
    const { from: _, ...rest } = way;
    expect(answer.json()).toMatchObject({ regions: [{ name: 'us-east-1', ways: [rest] }] });
  }));
