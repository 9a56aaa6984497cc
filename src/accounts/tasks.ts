import type { Deps } from '../deps.ts';
import type { Task } from '../outbox/relay.ts';
import { lockoutNotice } from './lockout-notice.ts';

/** What accounts leave until the answer is out, by type. */
export function accountTasks(deps: Deps): Readonly<Record<string, Task>> {
  return {
    account_locked: lockoutNotice(deps),
  };
}
