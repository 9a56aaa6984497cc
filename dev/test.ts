import { type ChildProcess, spawn } from 'node:child_process';

/** What `npm test` runs beside the suites: while these start and end, a core is idle. */
const checks = [['biome', 'check', '--error-on-warnings', '.'], ['knip'], ['tsc', '-p', '.']];

interface Outcome {
  readonly passed: boolean;
  readonly output: string;
}

const running = new Set<ChildProcess>();

/** Runs a command of this project and keeps what it says. */
function check([command = '', ...args]: readonly string[]): Promise<Outcome> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => void lines.push(text));
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ passed: false, output: String(error) }));
    child.once('close', (code) => resolve({ passed: code === 0, output: lines.join('') }));
  });
}

/** Runs the suites, which write to this terminal themselves. */
function suites(args: readonly string[]): Promise<boolean> {
  const child = spawn('vitest', ['run', '--project=!e2e', ...args], { stdio: 'inherit' });
  running.add(child);
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}

// Ctrl-C reaches all of them, and this process waits for their ends. The other signal reaches this one alone.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => running.forEach((child) => void child.kill('SIGTERM')));
const [passed, ...outcomes] = await Promise.all([suites(process.argv.slice(2)), ...checks.map(check)]);
for (const [index, outcome] of outcomes.entries()) {
  const name = checks[index]?.[0];
  console.log(outcome.passed ? `${name}: passed` : `${name}: FAILED\n${outcome.output.trimEnd()}`);
}
console.log(`suites: ${passed ? 'passed' : 'FAILED'}`);
process.exitCode = passed && outcomes.every((outcome) => outcome.passed) ? 0 : 1;
