/**
 * `npm run check:takeover`: whoever types an address, whatever stands there, and whoever reads its mail: one line for
 * each, as `test/accounts/takeover-matrix.test.ts` finds it through HTTP on both runtimes. Fails where one is otherwise.
 * `npm run check:takeover -- --tables` prints the tables of the guides and checks nothing.
 */
import { spawnSync } from 'node:child_process';
import { rows } from '../test/accounts/takeover-rows.ts';
import { takeoverChapters, takeoverMatrix } from '../test/accounts/takeover-tables.ts';

if (process.argv.includes('--tables')) {
  console.log(`${takeoverMatrix(rows)}\n\n${takeoverChapters(rows)}`);
  process.exit();
}

const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'node', '--project', 'workerd'];
const { status } = spawnSync(process.execPath, [...vitest, 'test/accounts/takeover-matrix.test.ts'], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { ...process.env, TEST_THOROUGH: 'true' },
});
for (const { typed, stands, answer, mail, pressed, reset } of rows) {
  console.log(`${typed} types the address of ${stands}: ${answer}; ${mail}; pressed: ${pressed}; reset: ${reset}`);
}
const kept = rows.filter(({ stands, typed }) => !/^nothing$|waits$/.test(stands) && typed !== 'create-admin');
const taken = kept.filter(({ pressed, reset }) => /typed/.test(pressed + reset));
console.log(
  `${rows.length} rows on two runtimes; of ${kept.length} accounts ${taken.length} taken by what somebody typed`,
);
console.log(
  status === 0
    ? 'ok: each row holds'
    : 'error: a row does not hold: npx vitest run test/accounts/takeover-matrix.test.ts',
);
process.exitCode = status === 0 && taken.length === 0 ? 0 : 1;
