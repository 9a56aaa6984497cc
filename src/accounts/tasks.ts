import type { Deps } from '../deps.ts';
import type { Task } from '../outbox/relay.ts';
import { changeEmailTask } from './change-email.ts';
import { registrationTask } from './register-by-mail.ts';
import { forgotPasswordTask } from './reset-password.ts';
import { resendVerificationTask } from './verify-email.ts';

/** What accounts leave until the answer is out, by type. */
export function accountTasks(deps: Deps): Readonly<Record<string, Task>> {
  return {
    registration: registrationTask(deps),
    resend_verification: resendVerificationTask(deps),
    forgot_password: forgotPasswordTask(deps),
    change_email: changeEmailTask(deps),
  };
}
