import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { isAlive } from './processes.ts';

/** What to run, and how to end it: each signal in turn with its grace in milliseconds, then SIGKILL for the whole group. */
export interface GuardPlan {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
  readonly stop: readonly { readonly signal: NodeJS.Signals; readonly grace: number }[];
}

const guardMessage = z.discriminatedUnion('event', [
  z.object({ event: z.literal('started'), pid: z.number() }),
  z.object({ event: z.literal('failed'), message: z.string() }),
  z.object({ event: z.literal('ended'), code: z.number().nullable(), signal: z.string().nullable() }),
]);
export type GuardMessage = z.infer<typeof guardMessage>;

export interface Guarded {
  readonly pid: number;
  /** Resolves when the command has ended, with how: `exit code 1`, `signal SIGKILL`. */
  readonly ended: Promise<string>;
  /** Ends the command in order and resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Runs a command that cannot outlive this process (see guard.ts).
 * @param plan what to run and how to end it
 * @param env the command's whole environment
 * @param onLine receives each line the command prints
 * @throws when the command cannot be started at all
 */
export async function startGuarded(
  plan: GuardPlan,
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => void,
): Promise<Guarded> {
  const guard = spawn(process.execPath, [join(import.meta.dirname, 'guard.ts'), JSON.stringify(plan)], {
    detached: true,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [guard.stdout, guard.stderr]) {
    if (stream !== null) {
      createInterface(stream).on('line', onLine);
    }
  }

  let pid: number | undefined;
  let outcome: string | undefined;
  const started = Promise.withResolvers<number>();
  guard.on('error', (error) => started.reject(error));
  guard.on('message', (raw) => {
    const message = guardMessage.parse(raw);
    if (message.event === 'started') {
      pid = message.pid;
      started.resolve(message.pid);
    } else if (message.event === 'failed') {
      started.reject(new Error(message.message));
    } else {
      outcome = message.signal === null ? `exit code ${message.code}` : `signal ${message.signal}`;
    }
  });

  const closed = new Promise<void>((resolve) => guard.once('close', () => resolve()));
  const ended = new Promise<string>((resolve) => {
    guard.once('exit', async () => {
      if (outcome === undefined && pid !== undefined) {
        // The guard itself was killed: its part falls to us.
        await endGroup(pid, plan.stop);
      }
      // Last words may still be in the pipe; a stray grandchild that holds it open is not waited for.
      await Promise.race([closed, sleep(300)]);
      started.reject(new Error('the guard ended before the command started'));
      resolve(outcome ?? 'its guard was killed');
    });
  });

  return {
    pid: await started.promise,
    ended,
    async stop() {
      if (guard.connected) {
        guard.send('stop', () => undefined);
      }
      await ended;
    },
  };
}

async function endGroup(leader: number, stop: GuardPlan['stop']): Promise<void> {
  for (const { signal, grace } of stop) {
    signalGroup(leader, signal);
    for (let waited = 0; isAlive(leader) && waited < grace; waited += 20) {
      await sleep(20);
    }
  }
  signalGroup(leader, 'SIGKILL');
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // Nothing is left of it.
  }
}
