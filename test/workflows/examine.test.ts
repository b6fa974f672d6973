import { fails, outline, useLab, type Asked } from './lab';

/** An examination in parts, some of which need others. */
const lab = useLab();

const lines: Asked['lines'] = [
  {
    examine: [
      { title: 'near', lines: ['look near'] },
      { title: 'offsite', lines: ['look offsite'] },
      { title: 'copy', needs: ['near'], lines: ['act restore', 'look copy'] },
      { title: 'service', needs: ['copy'], lines: ['look service'] },
    ],
  },
];

const examined = async (script: NonNullable<Asked['script']>) =>
  outline(await (await lab().start({ lines, script })).ends());

it('goes on to the end where every part is well', async () => {
  expect(await examined({})).toMatchObject({
    state: 'succeeded',
    steps: ['look near', 'look offsite', 'act restore', 'look copy', 'look service'].map(
      (one) => `${one}: done`,
    ),
  });
});

it('a part that fails keeps none from being done but those that need it, which are skipped and not passed', async () => {
  expect(await examined({ 'look near': fails('near is damaged') })).toMatchObject({
    state: 'failed',
    sentence: 'nothing was touched, because near is damaged; copy: skipped; service: skipped',
    steps: ['look near: failed', 'look offsite: done', 'copy: skipped', 'service: skipped'],
  });
});

it('every part that fails is named; what the others did stays', async () => {
  expect(
    await examined({ 'look offsite': fails('offsite is damaged'), 'look service': fails('it is slow') }),
  ).toMatchObject({
    state: 'failed',
    sentence: 'offsite is damaged; it is slow',
    steps: [
      'look near: done',
      'look offsite: failed',
      'act restore: done',
      'look copy: done',
      'look service: failed',
    ],
  });
});

it('a part that fails in the middle of its acts is undone', async () => {
  expect(await examined({ 'look copy': fails('it lacks a row') })).toMatchObject({
    state: 'rolled back',
    sentence: 'undone, because it lacks a row; service: skipped',
    steps: [
      'look near: done',
      'look offsite: done',
      'act restore: done',
      'look copy: failed',
      'service: skipped',
      'undo restore: done',
    ],
  });
});
