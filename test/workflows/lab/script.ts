import { Context } from '@temporalio/activity';
import { SwitchoverError, type ErrorCode } from '../../../core/errors';
import type { Intent } from '../../../core/run';
import { until } from '../../harness/until';

/** What one call does: answers, or throws. */
export type Behaviour = (called: Called) => unknown;

/** A call of a system under way. */
export interface Called {
  /** What the activity was given. */
  asked: unknown;
  /** What the system answers when nothing is the matter. */
  usual: () => unknown;
  /** Settles when the test lets the call go on. */
  released: Promise<void>;
}

/** By call, e.g. `act drain`: what it does, one behaviour a call; the last goes for all that follow. */
export type Script = Record<string, Behaviour | Behaviour[]>;

/** Does what is usual. */
export const works: Behaviour = ({ usual }) => usual();

/** Answers this instead of the usual. */
export function answers(answer: unknown): Behaviour {
  return () => answer;
}

/** Fails as an adapter does; whether it is tried again is for the error table to say. */
export function fails(sentence: string, code: ErrorCode = 'LB_REFUSED'): Behaviour {
  return () => {
    throw new SwitchoverError(code, sentence);
  };
}

/** Waits until it is released or cancelled, heartbeating; then does `next`. */
export function hangs(next: Behaviour = works): Behaviour {
  return async (called) => {
    const { cancelled } = Context.current();
    await heartbeating(Promise.race([called.released, cancelled]));
    return next(called);
  };
}

/** Waits until it is released, deaf to cancellation; then does `next`. */
export function insists(next: Behaviour = works): Behaviour {
  return async (called) => {
    await heartbeating(called.released);
    return next(called);
  };
}

async function heartbeating<T>(work: Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 50);
  try {
    return await work;
  } finally {
    clearInterval(beat);
  }
}

/** The systems as one run finds them: they follow the script and remember every call. */
export class World {
  /** Each call that began, in order. */
  readonly calls: string[] = [];
  /** Beginnings and ends as they followed each other: `> call`, `! call` when it was told to stop, `< call`. */
  readonly trace: string[] = [];
  /** The idempotency keys of the calls that carried one, by call. */
  readonly keys: Record<string, string[]> = {};
  /** The queue from which each call was taken, by call. */
  readonly queues: Record<string, string[]> = {};
  /** What people were sent. */
  readonly notices: unknown[] = [];
  private readonly gates = new Map<string, Gate>();
  private readonly script: Script;

  constructor(script: Script) {
    this.script = { ...script };
  }

  /** From now on calls of this name do this. */
  scripts(name: string, behaviour: Behaviour): void {
    this.script[name] = behaviour;
  }

  /** Carries out a call; `usual` answers where the script says nothing. */
  async call(name: string, asked: unknown, usual: () => unknown): Promise<unknown> {
    const key = (asked as { how?: Intent }).how?.key;
    if (key) (this.keys[name] ??= []).push(key);
    (this.queues[name] ??= []).push(Context.current().info.taskQueue);
    const behaviour = this.next(name);
    this.calls.push(name);
    this.trace.push(`> ${name}`);
    Context.current().cancellationSignal.addEventListener('abort', () => this.trace.push(`! ${name}`));
    try {
      return await behaviour({ asked, usual, released: this.gate(name).promise });
    } finally {
      this.trace.push(`< ${name}`);
    }
  }

  /** Lets the calls of this name go on, now and later. */
  release(name: string): void {
    this.gate(name).resolve();
  }

  /** Lets every call that hangs go on. */
  releaseAll(): void {
    for (const gate of this.gates.values()) gate.resolve();
  }

  /** Waits until the nth call of this name has begun. */
  async begins(name: string, nth = 1): Promise<void> {
    await until(
      `${name} was called ${nth} times, of ${this.calls.join(', ')}`,
      () => this.calls.filter((call) => call === name).length >= nth,
    );
  }

  private next(name: string): Behaviour {
    const behaviours = [this.script[name] ?? works].flat();
    const nth = this.calls.filter((call) => call === name).length;
    return behaviours[Math.min(nth, behaviours.length - 1)]!;
  }

  private gate(name: string): Gate {
    const gate = this.gates.get(name) ?? new Gate();
    this.gates.set(name, gate);
    return gate;
  }
}

class Gate {
  resolve!: () => void;
  readonly promise = new Promise<void>((resolve) => {
    this.resolve = resolve;
  });
}
