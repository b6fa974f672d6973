import { as, withServer } from './harness';

const url = '/api/v1/lever';

it('is engaged and released in the name of the token, and says what follows', async () =>
  withServer(async ({ app, operations }) => {
    const get = async () => (await app.inject({ url, headers: as('vera') })).json();
    const put = async (engaged: boolean) =>
      app.inject({ method: 'PUT', url, headers: as('otto'), payload: { engaged, reason: 'a test' } });
    expect(await get()).toEqual({ engaged: false });
    expect((await put(true)).json()).toEqual({ sentence: 'automation is stopped' });
    expect(operations.levers).toEqual([{ engaged: true, by: 'otto', reason: 'a test' }]);
    expect(await get()).toMatchObject({ engaged: true, by: 'otto', reason: 'a test' });
    expect((await put(false)).json()).toEqual({ sentence: 'automation goes on' });
    expect(await get()).toEqual({ engaged: false });
  }));

it.each([
  ['body.reason', { engaged: true }],
  ['body.engaged', { reason: 'a test' }],
])('is not moved without %s', async (field, payload) =>
  withServer(async ({ app, operations }) => {
    const answer = await app.inject({ method: 'PUT', url, headers: as('otto'), payload });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'BAD_INPUT', detail: expect.stringContaining(field) });
    expect(operations.levers).toEqual([]);
  }),
);

it('who holds what is told in sentences', async () =>
  withServer(async ({ app, operations }) => {
    operations.state.locks['node/us-east-1/a/n1'] = {
      run: 'run-1',
      runbook: 'node-failover',
      trigger: 'alert',
      precedence: 'failover',
      since: '2030-01-02T03:04:05.678Z',
    };
    const answer = await app.inject({ url: '/api/v1/coordination', headers: as('vera') });
    expect(answer.json()).toEqual({ sentences: ['node/us-east-1/a/n1 is held by run-1'] });
  }));
