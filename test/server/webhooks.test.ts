import { SwitchoverError } from '../../core/errors';
import type { Problem } from '../../server/schemas/problem';
import { alert, payload } from './alerts';
import { as, withServer, type Server } from './harness';

const of = (node: string) => alert({ labels: { alertname: 'NodeDown', node }, fingerprint: node });
const other = alert({ labels: { alertname: 'DiskFull' }, fingerprint: 'f2' });
const nameless = alert({ labels: { alertname: 'NodeDown' }, fingerprint: 'f3' });

const UNMATCHED = expect.stringMatching(
  /^no runbook answers its labels; answered are .*alertname="NodeDown" \(node-failover\).*alertname="ZoneDown" \(zone-failover\)$/,
);
const RESOLVED = 'resolved: a run proves by itself that service is back';

const send = ({ app }: Pick<Server, 'app'>, body: object) =>
  app.inject({ method: 'POST', url: '/webhooks/alertmanager', payload: body, headers: as('otto') });

describe('one alert', () => {
  test('opens an incident, and is handed over with what the runbook needs', async () => {
    await withServer(async (server) => {
      const answer = await send(server, payload(alert()));
      expect([answer.statusCode, answer.json()]).toEqual([
        200,
        { incident: 'INC-20300102-0001', run: 'run-node/us-east-1/a/n1', joined: false },
      ]);
      expect(server.operations.faults).toEqual([
        {
          runbook: 'node-failover',
          input: { node: 'us-east-1/a/n1' },
          scope: 'node/us-east-1/a/n1',
          trigger: 'alert',
          alert: {
            source: 'alertmanager',
            fingerprint: 'f1',
            summary: 'us-east-1/a/n1 does not answer',
            faultAt: '2030-01-02T03:04:05.678Z',
          },
        },
      ]);
    });
  });

  test('sent again joins', async () => {
    await withServer(async (server) => {
      await send(server, payload(alert()));
      expect((await send(server, payload(alert()))).json<object>()).toMatchObject({ joined: true });
    });
  });

  test.each([
    ['its summary', { summary: 's', description: 'd' }, 's'],
    ['else its description', { description: 'd' }, 'd'],
    ['else its name', {}, 'NodeDown'],
  ])('is described by %s', async (_, annotations, summary) => {
    await withServer(async (server) => {
      await send(server, payload(alert({ annotations })));
      expect(server.operations.faults).toMatchObject([{ alert: { summary } }]);
    });
  });

  test.each([
    ['2030-01-02T03:04:05Z', '2030-01-02T03:04:05.000Z'],
    ['2030-01-02T03:04:05.123456789Z', '2030-01-02T03:04:05.123Z'],
    ['2030-01-02T05:04:05+02:00', '2030-01-02T03:04:05.000Z'],
  ])('began at %s', async (startsAt, faultAt) => {
    await withServer(async (server) => {
      await send(server, payload(alert({ startsAt })));
      expect(server.operations.faults).toMatchObject([{ alert: { faultAt } }]);
    });
  });

  test.each([
    ['resolved', alert({ status: 'resolved' }), RESOLVED],
    ['nobody answers', other, UNMATCHED],
  ])('%s: nothing is started, and the answer says why', async (_, given, ignored) => {
    await withServer(async (server) => {
      const answer = await send(server, payload(given));
      expect([answer.statusCode, answer.json()]).toEqual([200, { ignored }]);
      expect(server.operations.faults).toEqual([]);
    });
  });

  test('whose labels give no valid input is a 400 that names label and field', async () => {
    await withServer(async (server) => {
      const answer = await send(server, payload(nameless));
      expect(answer.json<object>()).toMatchObject({
        status: 400,
        code: 'BAD_INPUT',
        detail:
          'alert NodeDown (f3): node-failover: input.node: is missing (for example "us-east-1/a/n1"); ' +
          'input.node is taken from label "node"',
      });
      expect(server.operations.faults).toEqual([]);
    });
  });

  test('that cannot be handed over now is a 503, so that it is sent again', async () => {
    await withServer(async (server) => {
      server.operations.failure = new SwitchoverError('TEMPORAL_UNREACHABLE', 'no worker');
      const answer = await send(server, payload(alert()));
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
      expect(answer.json<Problem>().detail).toBe('alert NodeDown (f1): no worker');
    });
  });
});

describe('several alerts', () => {
  test('are answered each in its place', async () => {
    await withServer(async (server) => {
      const nodes = ['us-east-1/a/n1', 'us-east-1/a/n2', 'us-east-1/a/n1'];
      const resolved = alert({ status: 'resolved', fingerprint: 'f4' });
      const answer = await send(server, payload(...nodes.map(of), other, nameless, resolved));
      expect(answer.statusCode).toBe(200);
      const taken = { incident: 'INC-20300102-0001' };
      expect(answer.json<object>()).toMatchObject({
        results: [
          { fingerprint: nodes[0], ...taken, run: `run-node/${nodes[0]}`, joined: false },
          { fingerprint: nodes[1], ...taken, run: `run-node/${nodes[1]}`, joined: false },
          { fingerprint: nodes[2], ...taken, run: `run-node/${nodes[2]}`, joined: true },
          { fingerprint: 'f2', ignored: UNMATCHED },
          { fingerprint: 'f3', error: { status: 400, code: 'BAD_INPUT' } },
          { fingerprint: 'f4', ignored: RESOLVED },
        ],
      });
    });
  });

  test('one of which cannot be handed over now are all to be sent again', async () => {
    await withServer(async (server) => {
      const { operations } = server;
      const openIncident = operations.openIncident.bind(operations);
      operations.openIncident = async (fault) => {
        if (fault.scope.endsWith('n2')) throw new SwitchoverError('TEMPORAL_UNREACHABLE', 'no worker');
        return openIncident(fault);
      };
      const answer = await send(server, payload(of('us-east-1/a/n1'), of('us-east-1/a/n2')));
      expect(answer.statusCode).toBe(503);
      expect(answer.json<object>()).toMatchObject({
        results: [{ joined: false }, { error: { code: 'TEMPORAL_UNREACHABLE', status: 503 } }],
      });
    });
  });

  test('one of which fails unexpectedly too, and the log says why', async () => {
    await withServer(async (server) => {
      server.operations.failure = new Error('we broke it');
      const answer = await send(server, payload(alert(), alert()));
      expect(answer.statusCode).toBe(503);
      expect(answer.body).not.toContain('we broke it');
      expect(server.log).toContainEqual(
        expect.objectContaining({ err: expect.objectContaining({ message: 'we broke it' }) }),
      );
    });
  });

  test('are handed over 32 at a time', async () => {
    await withServer(async (server) => {
      let now = 0;
      let most = 0;
      server.operations.openIncident = async ({ scope }) => {
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now -= 1;
        return { incident: '', run: scope, joined: false };
      };
      const many = Array.from({ length: 100 }, (_, i) => of(`us-east-1/a/n${i}`));
      const { results } = (await send(server, payload(...many))).json<{ results: object[] }>();
      expect([results.length, most]).toEqual([100, 32]);
    });
  });
});

test('one that nothing answers is evidence where its place is being dealt with, and else ignored', async () => {
  const symptom = alert({ labels: { alertname: 'SlowCalls', zone: 'us-east-1/a' }, fingerprint: 'f4' });
  await withServer(async (server) => {
    expect((await send(server, payload(symptom))).json()).toEqual({ ignored: UNMATCHED });
    await send(server, payload(alert()));
    expect((await send(server, payload(symptom))).json()).toMatchObject({
      run: 'run-node/us-east-1/a/n1',
      joined: true,
    });
  });
});

test('one that comes while the safety lever is engaged is kept, and the answer says so', async () => {
  await withServer(async (server) => {
    server.operations.failure = new SwitchoverError('LEVER_ENGAGED', 'ada has engaged the safety lever');
    const answer = await send(server, payload(alert()));
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { ignored: 'ada has engaged the safety lever' },
    ]);
  });
});

test('each is counted by what became of it', async () => {
  await withServer(async (server) => {
    await send(server, payload(alert(), alert(), other, nameless));
    const { body } = await server.app.inject({ url: '/metrics' });
    for (const result of ['opened', 'joined', 'ignored', 'failed'])
      expect(body).toContain(`switchover_alerts_total{source="alertmanager",result="${result}"} 1`);
    expect(body).toContain(
      'switchover_runs_total{door="alertmanager",runbook="node-failover",result="started"} 1',
    );
  });
});

describe('what is no payload of Alertmanager', () => {
  const { fingerprint: _, ...unprinted } = alert();
  test.each([
    ['another version', { ...payload(alert()), version: '5' }, 'body.version: must be "4", not "5"'],
    ['no alerts', payload(), 'body.alerts: must NOT have fewer than 1 items, not []'],
    ['something else', { event: 'x' }, 'body.version: is missing (for example "4"); body.alerts: is missing'],
    [
      'no fingerprint',
      payload(unprinted),
      'body.alerts.0.fingerprint: is missing (for example "b3a1f0c2d4e5f607")',
    ],
    [
      'a status',
      payload(alert(), { ...alert(), status: 'on' }),
      'body.alerts.1.status: must be one of firing, resolved, not "on"',
    ],
    [
      'a label that is no text',
      payload({ ...alert(), labels: { node: 3 } }),
      'body.alerts.0.labels.node: must be string, not 3',
    ],
    ['no time', payload(alert({ startsAt: 'now' })), 'body.alerts.0.startsAt: must match pattern'],
    [
      'an impossible time',
      payload(alert({ startsAt: '2030-13-02T03:04:05Z' })),
      'alerts.0.startsAt: "2030-13-02T03:04:05Z" is no time',
    ],
  ])('%s: 400 naming the field, nothing started', async (what, body, detail) => {
    await withServer(async (server) => {
      const answer = await send(server, body);
      expect([what, answer.statusCode]).toEqual([what, 400]);
      expect(answer.json<Problem>().detail).toContain(detail);
      expect(server.operations.faults).toEqual([]);
    });
  });
});
