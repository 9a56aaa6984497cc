import type { PageWords } from '../words.ts';

/** The pages in English. */
export const pages: PageWords = {
  verify_email: {
    title: 'Confirm your email address',
    intro: 'Confirm that this email address is yours. Only do so if you created the account or expected it.',
    button: 'Confirm email address',
    doneTitle: 'Email address confirmed',
    done: 'Your email address is confirmed. You can now sign in.',
    expired: 'This link or code has expired or is not valid. Enter your email address to get a new one.',
  },
  confirm_registration: {
    title: 'Finish signing up',
    intro:
      'This creates your account, with the password that was chosen when signing up. Only continue if you signed up yourself.',
    button: 'Create my account',
    doneTitle: 'Account created',
    done: 'Your account is ready. You can now sign in.',
    expired: 'This link or code has expired or is not valid. Enter your email address to get a new one.',
  },
  reset_password: {
    title: 'Set a new password',
    intro: 'Choose a new password. This signs out every device that is signed in to your account.',
    button: 'Set new password',
    doneTitle: 'Password set',
    done: 'Your new password is set. You can now sign in with it.',
    expired:
      'This link or code has already been used, has expired or is not valid. Enter your email address to get a new one.',
  },
  choose_password: {
    title: 'Choose a password',
    intro:
      'Choose a password for your account. It confirms your email address, replaces any earlier password and signs out every device.',
    button: 'Save password',
    doneTitle: 'Password set',
    done: 'Your password is saved. You can now sign in with it.',
    expired:
      'This link or code has already been used, has expired or is not valid. Enter your email address to get a new one.',
  },
  confirm_email_change: {
    title: 'Confirm your new email address',
    intro: 'Your account will use this email address from now on. Only continue if you asked for this change yourself.',
    button: 'Confirm new address',
    doneTitle: 'Email address changed',
    done: 'Your email address has been changed.',
    expired:
      'This link or code has already been used, has expired or is not valid. Start the change again in your account settings.',
  },
  undo_email_change: {
    title: 'Undo the change of your email address',
    intro:
      'This restores your old email address and signs out every device. Your password stops working, and we email you a link to choose a new one.',
    button: 'Undo the change',
    doneTitle: 'Change undone',
    done: 'Your old email address is back. Check your email to choose a new password.',
    expired:
      'This link has already been used, has expired or is not valid. To set a new password, enter your email address.',
  },
  resend_verification: {
    title: 'Confirm your email address: get a new link',
    intro: 'Enter your email address. We will send you a new link.',
    button: 'Send email',
    doneTitle: 'Check your email',
    done: 'If this address is waiting to be confirmed, an email is on its way. It can take a minute; look in your spam folder too.',
  },
  forgot_password: {
    title: 'Forgot your password?',
    intro: 'Enter your email address. We will send you a link to set a new password.',
    button: 'Send email',
    doneTitle: 'Check your email',
    done: 'If an account uses this address, an email is on its way. It can take a minute; look in your spam folder too.',
  },
  useCode: 'Enter the code from the email instead',
  wrongCode: 'This code is not right or has expired. Check it, or get a new email.',
  newEmail: 'Get a new email',
  showPassword: 'Show password',
  email: 'Email address',
  code: 'Code',
  newPassword: 'New password',
  passwordHint: (min) => `At least ${min} characters. Several unrelated words make a good password.`,
  onward: (service) => `Continue to ${service}`,
  back: (service) => `Back to ${service}`,
  close: 'You can close this page.',
  alreadyVerified: 'Your email address is already confirmed. You can sign in.',
  expiredTitle: 'Link no longer valid',
  takenTitle: 'Already in use',
  identifier_taken: 'Another account already uses this email address or username.',
  rate_limited: 'Too many attempts. Wait a few minutes, then try again.',
  weakPassword: 'This password cannot be used:',
  missingProof: 'Open the link in the email again, or enter your email address and the code.',
  notAnAddress: 'Please enter a valid email address.',
  failed: 'Something went wrong on our side. Please try again in a moment.',
};
