import type { Deps } from '../deps.ts';
import type { Task } from '../outbox/relay.ts';

/** What accounts leave until the answer is out, by type. */
export function accountTasks(_deps: Deps): Readonly<Record<string, Task>> {
  return {};
}
