// Node only: the text that goes to and comes from the wrangler process.
import { expect, it } from 'vitest';
import { formatVariables } from '../../dev/variables.ts';
import { outputFilter } from '../../dev/wrangler-output.ts';

it('writes variables so that wrangler reads each value as it is', () => {
  expect(formatVariables({ A: '1', B: 'x#y z=', C: "it's $HOME $B", D: '"`' })).toBe(
    "A='1'\nB='x#y z='\nC=`it's \\$HOME \\$B`\nD='\"`'\n",
  );
});

it('refuses a value it cannot write, and does not repeat it', () => {
  for (const value of ['a\\b', 'a\nb', '\'`"']) {
    expect(() => formatVariables({ SECRET: value })).toThrow(/^SECRET: (?!.*a\\b)/);
  }
});

it("hides wrangler's chatter and shows everything else", () => {
  const shows = outputFilter();
  const output = `Using secrets defined in .data/wrangler/variables.env
Your Worker has access to the following bindings:
Binding                      Resource                  Mode
env.AUTH_SECRET ("(hidden)") Environment Variable      local

⎔ Starting local server...
▲ [WARNING] Scheduled Workers are not automatically triggered during local development.

  To manually trigger a scheduled event, run:
    curl "http://127.0.0.1:8787/cdn-cgi/local/scheduled"
  For more details, see https://developers.cloudflare.com/workers/configuration/cron-triggers/

[wrangler:info] Ready on http://127.0.0.1:8787
[wrangler:info] POST /auth/login?x=1 200 OK (231ms)
{"level":"info","route":"/auth/login"}
✘ [ERROR] Build failed with 1 error:
    src/worker.ts:8:7:
[wrangler:error] Error: boom
[wrangler:warn] The Workers runtime crashed unexpectedly and is being restarted (crash #1).`;
  expect(output.split('\n').filter(shows)).toEqual([
    '{"level":"info","route":"/auth/login"}',
    '✘ [ERROR] Build failed with 1 error:',
    '    src/worker.ts:8:7:',
    '[wrangler:error] Error: boom',
    '[wrangler:warn] The Workers runtime crashed unexpectedly and is being restarted (crash #1).',
  ]);
});
