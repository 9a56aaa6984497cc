import type { Deps } from '../deps.ts';
import type { Task } from '../outbox/relay.ts';
import { changeEmailTask } from './change-email.ts';
import { lockoutNotice } from './lockout-notice.ts';
import { registrationTask } from './register-by-mail.ts';
import { resendVerificationTask } from './resend-verification.ts';
import { forgotPasswordTask } from './reset-password.ts';

/** What accounts leave until the answer is out, by type. */
export function accountTasks(deps: Deps): Readonly<Record<string, Task>> {
  return {
    registration: registrationTask(deps),
    resend_verification: resendVerificationTask(deps),
    forgot_password: forgotPasswordTask(deps),
    change_email: changeEmailTask(deps),
    account_locked: lockoutNotice(deps),
  };
}
