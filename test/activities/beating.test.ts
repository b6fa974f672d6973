import { MockActivityEnvironment } from '@temporalio/testing';
import { beating } from '../../activities/beating';

it('beats while the work goes on, and no longer', async () => {
  const environment = new MockActivityEnvironment();
  let beats = 0;
  const twice = new Promise<void>((resolve) => {
    environment.on('heartbeat', () => ++beats === 2 && resolve());
  });
  const clear = jest.spyOn(globalThis, 'clearInterval');
  await expect(
    environment.run(
      beating(async (what: string) => twice.then(() => Promise.reject(new Error(what)))),
      'slow and in vain',
    ),
  ).rejects.toThrow('slow and in vain');
  expect(clear).toHaveBeenCalledTimes(1);
  clear.mockRestore();
});
