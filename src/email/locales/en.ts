import type { Words } from '../words.ts';

const secure = 'If this was not you, set a new password in the application at once: that ends all open sessions.';

/** English. */
export const words: Words = {
  pages: {
    verify_email: {
      title: 'Confirm your email address',
      intro: 'Press the button to confirm that this email address is yours.',
      button: 'Confirm the address',
      done: 'Your email address is confirmed. You can close this page and sign in.',
    },
    reset_password: {
      title: 'Set a new password',
      intro: 'Choose a new password. Everybody who is signed in to your account will be signed out.',
      button: 'Set the password',
      done: 'Your new password is set. You can close this page and sign in.',
    },
    confirm_email_change: {
      title: 'Confirm your new email address',
      intro: 'Press the button to use this email address for your account from now on.',
      button: 'Confirm the new address',
      done: 'Your email address is changed. You can close this page.',
    },
    undo_email_change: {
      title: 'Undo the change of your email address',
      intro:
        'Press the button to get your old address back. Everybody who is signed in will be signed out, the password stops to work, and a mail to set a new one follows.',
      button: 'Undo the change',
      done: 'Your old address is back. A mail to set a new password is on its way.',
    },
    useCode: 'Use the code of the mail instead',
    email: 'Email address',
    code: 'Code',
    newPassword: 'New password',
    passwordHint: (least) => `At least ${least} characters. Several words that do not belong together are good.`,
    withoutLink: 'This page needs the link of a mail, or its code.',
    link_expired: 'This link or code was used already, has run out, or is not valid. Ask for a new mail.',
    identifier_taken: 'This has been taken by another account meanwhile.',
    rate_limited: 'Too many attempts. Wait a while and try again.',
    weakPassword: 'This password cannot be used:',
    missingProof: 'Open the link of the mail again, or give the email address and the code of the mail.',
    failed: 'That did not work. Wait a moment and try again.',
  },
  mails: {
    verify_email: ({ service }) => ({
      subject: `Confirm your email address for ${service}`,
      heading: 'Confirm your email address',
      body: [`Somebody, most likely you, gave this address to ${service}. Confirm that it is yours.`],
      button: 'Confirm the address',
      otherwise: 'If this was not you, ignore this mail: without the link or the code nobody can confirm your address.',
    }),
    already_registered: ({ service }) => ({
      subject: `You already have an account with ${service}`,
      heading: 'You already have an account',
      body: [
        `Somebody, most likely you, tried to register with this address. It has an account with ${service} already, and nothing has been changed.`,
        'To go on, sign in. If you forgot the password, ask for a new one where you sign in.',
      ],
      otherwise: 'If this was not you, ignore this mail: your account is as safe as before.',
    }),
    reset_password: ({ service }) => ({
      subject: `Set a new password for ${service}`,
      heading: 'Set a new password',
      body: [`Somebody, most likely you, asked for a new password for your account with ${service}.`],
      button: 'Set a new password',
      otherwise: 'If this was not you, ignore this mail: your password stays as it is.',
    }),
    choose_password: ({ service }) => ({
      subject: `Choose a password for ${service}`,
      heading: 'Choose a password',
      body: [
        `Those who look after ${service} ask you to choose a password for your account. Until then nobody can sign in to it with one.`,
      ],
      button: 'Choose a password',
      otherwise: 'If you have no account there, ignore this mail.',
    }),
    password_changed: ({ service }) => ({
      subject: `Your password for ${service} was changed`,
      heading: 'Your password was changed',
      body: [`The password of your account with ${service} was changed, and other open sessions were ended.`],
      otherwise:
        'If this was not you, ask for a new password where you sign in, with "forgot password": that ends all sessions.',
    }),
    confirm_email_change: ({ service }) => ({
      subject: `Confirm your new email address for ${service}`,
      heading: 'Confirm your new email address',
      body: [`Somebody, most likely you, wants to use this address for an account with ${service} from now on.`],
      button: 'Confirm the new address',
      otherwise: 'If this was not you, ignore this mail: without the link or the code nothing is changed.',
    }),
    email_changed: ({ service, email }) => ({
      subject: `Your email address for ${service} was changed`,
      heading: 'Your email address was changed',
      body: [
        `The email address of your account with ${service} was changed to ${email}.`,
        'If this was not you, undo it: you can do so for 7 days. Everybody who is signed in then has to sign in again.',
      ],
      button: 'Undo the change',
      otherwise: 'If this was you, there is nothing to do.',
    }),
    new_sign_in: ({ service }) => ({
      subject: `New sign-in to ${service}`,
      heading: 'A sign-in from a device we do not know',
      body: [`Somebody signed in to your account with ${service}, from a device that had not been used before.`],
      otherwise: `If this was you, there is nothing to do. ${secure}`,
    }),
    account_locked: ({ service }) => ({
      subject: `Sign-in to ${service} was locked for a while`,
      heading: 'Too many failed attempts to sign in',
      body: [
        `There were many failed attempts to sign in to your account with ${service}. Further attempts have to wait for a while; devices you signed in with before are not affected.`,
      ],
      otherwise:
        'If this was not you, nobody got in. If you use your password elsewhere too, or it is short, set a better one.',
    }),
    account_deleted: ({ service }) => ({
      subject: `Your account with ${service} was deleted`,
      heading: 'Your account was deleted',
      body: [`Your account with ${service} was deleted, with all data about you. This cannot be undone.`],
      otherwise: 'If this was not you, somebody knew your password: change it wherever else you use it.',
    }),
    account_removed: ({ service }) => ({
      subject: `Your account with ${service} was deleted`,
      heading: 'Your account was deleted',
      body: [
        `Those who look after ${service} deleted your account, with everything that was held about you. It cannot be undone.`,
      ],
      otherwise: 'If you think that this is a mistake, ask those who look after the service.',
    }),
  },
  parts: {
    link: 'If the button does not work, open this address:',
    code: 'Or type this code on another device. It is good for 10 minutes:',
    when: 'When',
    where: 'From',
    device: 'Device',
    footer: (service) => `Sent by ${service}. Nobody reads replies to this address.`,
  },
};
