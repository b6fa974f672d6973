import { ServiceError } from '@temporalio/client';
import { sendDecision } from '../../operations/decide';

const request = { by: 'ada', reason: 'test' };

/** As Temporal answers: an error of gRPC within one of its client's. */
function grpc(code: number): ServiceError {
  const cause = Object.assign(new Error(`${code}`), { code, details: '', metadata: {} });
  return new ServiceError('Workflow Update failed', { cause });
}

/** A run that answers these, one after the other; with the ids of the updates that it got. */
function run(...answers: (string | Error)[]) {
  const ids: (string | undefined)[] = [];
  const executeUpdate = async (_: unknown, { updateId }: { updateId?: string }) => {
    ids.push(updateId);
    const answer = answers.shift()!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { ids, handle: { executeUpdate } as unknown as Parameters<typeof sendDecision>[0] };
}

it('a decision that was lost on its way is sent again, as the same one', async () => {
  const { handle, ids } = run(grpc(9), grpc(9), 'the run stops');
  expect(await sendDecision(handle, 'abort', request)).toBe('the run stops');
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size).toBe(1);
});

it('is given up after five tries', async () => {
  const { handle, ids } = run(...Array.from({ length: 6 }, () => grpc(9)));
  await expect(sendDecision(handle, 'abort', request)).rejects.toBeInstanceOf(ServiceError);
  expect(ids).toHaveLength(5);
});

it('one that was refused, or that nobody was there for, is not sent again', async () => {
  for (const error of [grpc(14), new Error('abort refused')]) {
    const { handle, ids } = run(error);
    await expect(sendDecision(handle, 'abort', request)).rejects.toBe(error);
    expect(ids).toHaveLength(1);
  }
});
