import { Context } from '@temporalio/activity';
import { isGrpcServiceError } from '@temporalio/client';
import type { TypedSearchAttributes } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  DefaultLogger,
  Runtime,
  Worker,
  type WorkerOptions,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import type { Config } from '../../../core/config';
import type { Mode, RunRequest, Warrant } from '../../../core/run';
import { findRunbook, scopeOf, workflowType } from '../../../core/runbook';
import { launch } from '../../../operations/launch';
import { environmentFile } from '../../../sandbox/environment';
import { DEFAULTS } from '../../../sandbox/settings';
import { activityInterceptors } from '../../../workers/interceptors';
import { TASK_QUEUE, regionQueue } from '../../../workflows/messages';
import { BRIEFING, COORDINATOR, labActivities } from './activities';
import { labBundle } from './bundle';
import catalogue from './catalogue';
import type { Line } from './procedure';
import { LabRun } from './run';
import { timeSkipping } from './servers';
import { World, type Script } from './script';

export { BRIEFING, DRILL } from './activities';
export { outline, type LabRun } from './run';
export { answers, fails, hangs, insists, works } from './script';
export type { Line } from './procedure';

export const NODE = 'us-east-1/a/n1';
export const SCOPE = `node/${NODE}`;

export interface Asked {
  runbook?: 'lab-ask' | 'lab-undo' | 'lab-forced' | 'lab-approval' | 'lab-planned';
  lines: Line[];
  /** What the systems do; nothing is the matter where it is silent. */
  script?: Script;
  mode?: Mode;
  warrant?: Partial<Warrant>;
}

/** A Temporal server with one worker: the real engine and coordinator over scripted systems. */
export class Lab {
  /** What the systems do for workflows that the test has not started itself, such as runs of the coordinator. */
  otherwise: Script = {};
  private readonly worlds = new Map<string, World>();
  private started = 0;

  /** What the environment file says; a test may change it. */
  readonly config: Config = { ...environmentFile(DEFAULTS), environment: 'lab' };
  private worker!: Worker;
  private working!: Promise<void>;

  private constructor(
    readonly env: TestWorkflowEnvironment,
    private readonly workflowBundle: WorkflowBundleOption,
  ) {}

  static async open(server: () => Promise<TestWorkflowEnvironment>): Promise<Lab> {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: 'ERROR' } },
    });
    const [env, workflowBundle] = await Promise.all([server(), labBundle()]);
    const lab = new Lab(env, workflowBundle);
    await lab.work();
    return lab;
  }

  /** Ends the worker and begins with another one; what it had under way goes on there. */
  async restart(): Promise<void> {
    this.worker.shutdown();
    await this.working;
    await this.work();
  }

  private get options() {
    const { env, config } = this;
    const here = () => this.world(Context.current().info.workflowExecution!.workflowId);
    return {
      connection: env.nativeConnection,
      activities: labActivities(env.client, here, config),
      interceptors: { activity: [activityInterceptors] },
      maxHeartbeatThrottleInterval: '50ms',
      shutdownGraceTime: 0,
    } satisfies Partial<WorkerOptions>;
  }

  private async work(): Promise<void> {
    const { options, workflowBundle } = this;
    this.worker = await Worker.create({ ...options, taskQueue: TASK_QUEUE, workflowBundle });
    this.working = this.worker.run();
  }

  /** Has a worker of this region at work for as long as the function takes. */
  async withWorkerIn(region: string, work: () => Promise<void>): Promise<void> {
    const worker = await Worker.create({ ...this.options, taskQueue: regionQueue(region) });
    await worker.runUntil(work);
  }

  /** Ends worker and server, whatever still runs. @throws the first history that does not replay */
  async close(): Promise<void> {
    const histories = await this.histories();
    for (const world of this.worlds.values()) world.releaseAll();
    this.worker.shutdown();
    await this.working;
    await this.env.teardown();
    const { workflowBundle } = this;
    for await (const { error } of Worker.runReplayHistories({ workflowBundle }, histories))
      if (error) throw error;
  }

  /** Starts a run as a door does: checked, and with the lock of its scope. */
  async start({ runbook = 'lab-undo', lines, script, mode, warrant }: Asked): Promise<LabRun> {
    const request: RunRequest = { input: { node: NODE, lines }, ...(mode ? { mode } : {}) };
    const run = this.name(script);
    await launch(this.env.client, {
      run,
      runbook,
      scope: scopeOf(findRunbook(catalogue, runbook), request.input),
      request,
      warrant: { by: 'grace', trigger: 'manual', granted: BRIEFING, ...warrant },
    });
    return this.run(run);
  }

  /** Starts a run as the Temporal UI does: whatever somebody typed, past every door. */
  async startInUi(
    runbook: string,
    request: unknown,
    script?: Script,
    /** Search attributes that the form was filled with. */
    typedSearchAttributes?: TypedSearchAttributes,
  ): Promise<LabRun> {
    const run = this.name(script);
    await this.env.client.workflow.start(workflowType(runbook), {
      workflowId: run,
      taskQueue: TASK_QUEUE,
      args: [request],
      ...(typedSearchAttributes ? { typedSearchAttributes } : {}),
    });
    return this.run(run);
  }

  /** A run that was started by another hand. */
  run(id: string): LabRun {
    return new LabRun(this.env.client.workflow.getHandle(id), this.world(id), this.env);
  }

  /** What has happened to every workflow so far. */
  private async histories(): Promise<{ workflowId: string; history: History }[]> {
    const ids = new Set([...this.worlds.keys(), COORDINATOR]);
    const read = async (workflowId: string) => {
      const history = await this.env.client.workflow
        .getHandle(workflowId)
        .fetchHistory()
        .catch((error: unknown) => {
          if (!isGrpcServiceError(error) || !error.message.includes('NOT_FOUND')) throw error;
        });
      return history ? [{ workflowId, history }] : [];
    };
    return (await Promise.all([...ids].map(read))).flat();
  }

  private name(script: Script = {}): string {
    this.started += 1;
    const run = `run-${this.started}`;
    this.worlds.set(run, new World(script));
    return run;
  }

  private world(run: string): World {
    const world = this.worlds.get(run) ?? new World(this.otherwise);
    this.worlds.set(run, world);
    return world;
  }
}

/** A lab for the tests of a file; nothing of it outlives them. `server`: default the time-skipping one. */
export function useLab(server = timeSkipping): () => Lab {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.open(server);
  });
  afterAll(async () => {
    await lab.close();
  });
  return () => lab;
}
