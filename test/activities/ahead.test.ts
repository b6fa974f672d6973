import { ahead } from '../../activities/ahead';
import { ensure } from '../../activities/ensure';
import type { Deed, Intent } from '../../core/run';
import { until } from '../harness/until';

const how: Intent = { mode: 'execute', key: 'run-1/1' };

/** A valve that is open or shut, and what was done to it. */
function valve() {
  const world = { open: true, looks: 0, shut: 0 };
  const shutting = ahead(
    ({ how: asked }: { how: Intent }, exists?: Promise<unknown>): Promise<Deed<boolean>> =>
      ensure(asked, {
        look: async () => {
          world.looks += 1;
          return world.open;
        },
        already: (open) => (open ? null : 'it is shut'),
        intention: () => 'shut it',
        ready: exists,
        act: async () => {
          world.shut += 1;
          world.open = false;
        },
        done: () => 'it was shut',
      }),
  );
  return { world, ...shutting };
}

/** A run's start, until the test says how it went. */
function start() {
  let exists = () => {};
  let fails: (error: Error) => void = () => {};
  const started = new Promise<void>((resolve, reject) => {
    exists = resolve;
    fails = reject;
  });
  return { started, exists, fails };
}

test('it looks at once, acts when its run exists, and gives that run what came of it', async () => {
  const { world, begin, act } = valve();
  const { started, exists } = start();
  begin({ how }, started);
  await until('it has looked', () => world.looks === 1);
  expect(world).toMatchObject({ open: true, shut: 0 });
  exists();
  await until('it is shut', () => !world.open);
  expect(await act({ how })).toMatchObject({ changed: true, sentence: 'it was shut' });
  expect(world.shut).toBe(1);
  expect(await act({ how })).toMatchObject({ changed: false, sentence: 'it is shut' });
});

test('where its run does not come to be nothing is done, and nobody is told of it but who asks', async () => {
  const { world, begin, act } = valve();
  const { started, fails } = start();
  begin({ how }, started);
  fails(new Error('the run exists already'));
  await expect(act({ how })).rejects.toThrow('the run exists already');
  expect(world.shut).toBe(0);
  expect(await act({ how })).toMatchObject({ changed: true });
});

test('what was seen long before its run existed is looked at again', async () => {
  const { world, begin, act } = valve();
  const { started, exists } = start();
  begin({ how }, started);
  await new Promise((resolve) => setTimeout(resolve, 150));
  world.open = false;
  exists();
  expect(await act({ how })).toMatchObject({ changed: false, sentence: 'it is shut' });
  expect(world.shut).toBe(0);
});

test('another run of the same act does it itself', async () => {
  const { world, begin, act } = valve();
  const { started, exists } = start();
  begin({ how }, started);
  expect(await act({ how: { ...how, key: 'run-2/1' } })).toMatchObject({ changed: true });
  exists();
  await act({ how }).catch(() => undefined);
  expect(world.open).toBe(false);
});
