/**
 * A process that stands between the supervisor and one child: it runs the command it is given and ends it when its
 * parent goes. The IPC channel closes however the parent went, SIGKILL included, so nothing outlives the parent.
 * Started by guarded.ts as `node guard.ts <plan as JSON>`, in a session of its own: Ctrl-C in the terminal does not
 * reach it, the parent decides the order in which things end.
 */
import { spawn } from 'node:child_process';
import type { GuardMessage, GuardPlan } from './guarded.ts';

const plan: GuardPlan = JSON.parse(process.argv[2] ?? '');

const child = spawn(plan.command, plan.args, {
  cwd: plan.cwd,
  ...plan.account,
  // A process group of its own, so that everything below it can be ended together.
  detached: true,
  stdio: ['ignore', 'inherit', 'inherit'],
});

function report(message: GuardMessage, then: () => void = () => undefined): void {
  if (process.connected && process.send !== undefined) {
    process.send(message, undefined, undefined, then);
  } else {
    then();
  }
}

function signalGroup(signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) {
      process.kill(-child.pid, signal);
    }
  } catch {
    // Nothing is left of the group.
  }
}

let stopping = false;
function stop(): void {
  if (stopping) {
    return;
  }
  stopping = true;
  let after = 0;
  for (const { signal, grace } of plan.stop) {
    setTimeout(() => child.kill(signal), after);
    after += grace;
  }
  setTimeout(() => signalGroup('SIGKILL'), after);
}

child.on('spawn', () => report({ event: 'started', pid: child.pid ?? 0 }));
child.on('error', (error) => {
  report({ event: 'failed', message: error.message }, () => process.exit(1));
});
child.on('exit', (code, signal) => {
  signalGroup('SIGKILL');
  report({ event: 'ended', code, signal }, () => process.exit(0));
});

process.on('message', stop);
process.on('disconnect', stop);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('SIGHUP', stop);
if (!process.connected) {
  stop();
}
