import type { TestApp } from './test-app.ts';

/** Lets time pass for every session, by the clock of the database: seconds since its generations came to be. */
export async function letPass({ deps }: Pick<TestApp, 'deps'>, seconds: number): Promise<void> {
  await deps.db.execute(`update sessions set
    current_since = current_since - make_interval(secs => ${seconds}),
    previous_since = previous_since - make_interval(secs => ${seconds})`);
}
