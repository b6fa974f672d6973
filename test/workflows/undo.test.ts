import { fails, outline, useLab } from './lab';
import type { Asked } from './lab';

const lab = useLab();

/** What a run came to, in every respect an operator cares for, and what reached the systems. */
interface Case extends Asked {
  name: string;
  state: string;
  sentence: string;
  steps: string[];
  calls: string[];
}

const three: Asked['lines'] = ['act drain', 'act move', 'act restart'];

const cases: Case[] = [
  {
    name: 'undoes every act, newest first, the one that failed half-way included',
    lines: three,
    script: { 'act restart': fails('no such process') },
    state: 'rolled back',
    sentence: 'undone, because no such process',
    steps: [
      'act drain: done',
      'act move: done',
      'act restart: failed',
      'undo restart: done',
      'undo move: done',
      'undo drain: done',
    ],
    calls: ['act drain', 'act move', 'act restart', 'undo restart', 'undo move', 'undo drain'],
  },
  {
    name: 'goes on undoing after an undo that failed, and calls that escalated',
    lines: three,
    script: { 'act restart': fails('no such process'), 'undo move': fails('the store refuses') },
    state: 'escalated',
    sentence: 'undone, because no such process, but not everything could be undone; see the timeline',
    steps: [
      'act drain: done',
      'act move: done',
      'act restart: failed',
      'undo restart: done',
      'undo move: failed',
      'undo drain: done',
    ],
    calls: ['act drain', 'act move', 'act restart', 'undo restart', 'undo move', 'undo drain'],
  },
  {
    name: 'has failed, with nothing to undo, where only looks were done',
    lines: ['look pool', 'verify health', 'act drain'],
    script: { 'look health': fails('it is sick', 'NODE_UNHEALTHY') },
    state: 'failed',
    sentence: 'nothing was touched, because it is sick',
    steps: ['look pool: done', 'verify health: failed'],
    calls: ['look pool', 'look health'],
  },
  {
    name: 'undoes when service does not come back',
    lines: ['act drain', 'watch service'],
    script: { 'look service': fails('nobody answers', 'NODE_UNHEALTHY') },
    state: 'rolled back',
    sentence: 'undone, because nobody answers',
    steps: ['act drain: done', 'watch service: failed', 'undo drain: done'],
    calls: ['act drain', 'look service', 'undo drain'],
  },
  {
    name: 'ends as refused when a guard refuses an act: what came before it is undone, the refused act is not',
    lines: three,
    script: { 'act move': fails('it is the last healthy node', 'GUARD_REFUSED') },
    state: 'refused',
    sentence: 'it is the last healthy node',
    steps: ['act drain: done', 'act move: refused', 'undo drain: done'],
    calls: ['act drain', 'act move', 'undo drain'],
  },
  {
    name: 'ends as refused when a guard refuses a look',
    lines: ['act drain', 'verify health'],
    script: { 'look health': fails('only one vantage point', 'GUARD_REFUSED') },
    state: 'refused',
    sentence: 'only one vantage point',
    steps: ['act drain: done', 'verify health: refused', 'undo drain: done'],
    calls: ['act drain', 'look health', 'undo drain'],
  },
  {
    name: 'calls a refusal escalated where what came before it cannot be undone',
    lines: three,
    script: {
      'act move': fails('it is the last healthy node', 'GUARD_REFUSED'),
      'undo drain': fails('no such server'),
    },
    state: 'escalated',
    sentence: 'it is the last healthy node, but not everything could be undone; see the timeline',
    steps: ['act drain: done', 'act move: refused', 'undo drain: failed'],
    calls: ['act drain', 'act move', 'undo drain'],
  },
];

describe('a run that undoes', () => {
  it.each(cases)('$name', async ({ lines, script = {}, state, sentence, steps, calls }) => {
    const run = await lab().start({ runbook: 'lab-undo', lines, script });
    expect(outline(await run.ends())).toEqual({ state, sentence, steps, decisions: [] });
    expect(run.world.calls).toEqual(calls);
  });

  it('reports an undo with what it did, and one that failed with why', async () => {
    const run = await lab().start({
      lines: three,
      script: { 'act restart': fails('no such process'), 'undo move': fails('the store refuses') },
    });
    const { steps } = await run.ends();
    expect(steps.filter(({ kind }) => kind === 'undo')).toMatchObject([
      { title: 'undo restart', state: 'done', sentence: 'restart is as it was' },
      { title: 'undo move', state: 'failed', sentence: 'the store refuses' },
      { title: 'undo drain', state: 'done', sentence: 'drain is as it was' },
    ]);
  });
});
