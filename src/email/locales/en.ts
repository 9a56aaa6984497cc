import type { Words } from '../words.ts';
import { pages } from './en-pages.ts';

/** English. */
export const words: Words = {
  pages,
  mails: {
    verify_email: ({ service }) => ({
      subject: `Confirm your email address for ${service}`,
      heading: 'Confirm your email address',
      body: [
        `An account at ${service} uses this address. If it is yours, please confirm the address.`,
        'Only confirm an account that you created yourself or expected: the person who created it may know its password.',
      ],
      button: 'Confirm email address',
      otherwise: 'Not yours? Ignore this email, and the address stays unconfirmed.',
    }),
    confirm_created_account: ({ service, resetPage }) => ({
      subject: `Your account at ${service}`,
      heading: 'Confirm your new account',
      body: [
        `An administrator of ${service} created an account for you and chose its password. Please confirm that this address is yours.`,
        `Only confirm if you expected this. Afterwards, go to ${resetPage} and set a password that only you know.`,
      ],
      button: 'Confirm email address',
      otherwise: 'You did not expect this? Ignore this email, and the address stays unconfirmed.',
    }),
    confirm_registration: ({ service }) => ({
      subject: `Finish signing up for ${service}`,
      heading: 'Finish signing up',
      body: [
        `Someone signed up for ${service} with this address. If that was you, confirm it: this creates your account, with the password chosen when signing up.`,
      ],
      button: 'Create my account',
      otherwise:
        'Not you? Ignore this email, and no account is created. Do not confirm it for someone else: they know the password.',
    }),
    finish_registration: ({ service }) => ({
      subject: `Finish signing up for ${service}`,
      heading: 'Choose a password to finish signing up',
      body: [
        `Someone, probably you, signed up for ${service} with this address. Choose a password to create your account. Only what you enter now counts.`,
      ],
      button: 'Choose a password',
      otherwise: 'Not you? Ignore this email, and no account is created.',
    }),
    unconfirmed_account: ({ service }) => ({
      subject: `Choose a password for your account at ${service}`,
      heading: 'You already have an account',
      body: [
        `Someone, probably you, entered this address at ${service}. An account with it already exists, but the address was never confirmed. Nothing has changed.`,
        'To use the account, choose a password. This confirms your address, replaces any earlier password and signs out every device.',
      ],
      button: 'Choose a password',
      otherwise: 'Not you? Ignore this email, and the account stays as it is.',
    }),
    already_registered: ({ service, resetPage }) => ({
      subject: `You already have an account at ${service}`,
      heading: 'You already have an account',
      body: [
        `Someone, probably you, entered this address at ${service}. An account with it already exists. Nothing has changed.`,
        `Sign in to continue. If you forgot your password, go to ${resetPage} and set a new one.`,
      ],
      otherwise: 'Not you? Ignore this email. Your account is safe.',
    }),
    reset_password: ({ service }) => ({
      subject: `Set a new password for ${service}`,
      heading: 'Set a new password',
      body: [`Someone, probably you, asked for a new password for your account at ${service}.`],
      button: 'Set new password',
      otherwise: 'Not you? Ignore this email, and your password stays the same.',
    }),
    choose_password: ({ service }) => ({
      subject: `Choose a password for ${service}`,
      heading: 'Choose a password',
      body: [
        `An administrator of ${service} asks you to choose a password for your account. Until then, nobody can sign in to it with a password.`,
      ],
      button: 'Choose a password',
      otherwise: 'You have no account there? Ignore this email.',
    }),
    password_changed: ({ service, resetPage }) => ({
      subject: `Your password for ${service} was changed`,
      heading: 'Your password was changed',
      body: [`The password of your account at ${service} was changed, and your other devices were signed out.`],
      otherwise: `Not you? Go to ${resetPage} and set a new one now. This signs out every device.`,
    }),
    confirm_email_change: ({ service }) => ({
      subject: `Confirm your new email address for ${service}`,
      heading: 'Confirm your new email address',
      body: [
        `Someone wants to use this address for their account at ${service}. If that was you, confirm it: your account then uses this address.`,
      ],
      button: 'Confirm new address',
      otherwise: 'Not you? Ignore this email, and nothing changes.',
    }),
    email_changed: ({ service, email }) => ({
      subject: `Your email address for ${service} was changed`,
      heading: 'Your email address was changed',
      body: [
        `Your account at ${service} now uses ${email}.`,
        'If this was not you, undo the change. This signs out every device, and you choose a new password.',
      ],
      button: 'Undo the change',
      otherwise: 'If this was you, you do not need to do anything.',
    }),
    new_sign_in: ({ service, resetPage }) => ({
      subject: `New sign-in to ${service}`,
      heading: 'New sign-in to your account',
      body: [`Someone signed in to your account at ${service} from a device that we do not know.`],
      otherwise: `If this was you, you do not need to do anything. If not, go to ${resetPage} and set a new password now. This signs out every device.`,
    }),
    account_locked: ({ service, resetPage }) => ({
      subject: `Too many failed sign-ins at ${service}`,
      heading: 'Too many failed sign-ins',
      body: [
        `Someone tried many times to sign in to your account at ${service} and failed. New attempts have to wait for a while. Devices that you have used before can still sign in.`,
      ],
      otherwise: `Nobody got in. If your password is short, or you use it elsewhere too, go to ${resetPage} and set a better one.`,
    }),
    account_deleted: ({ service }) => ({
      subject: `Your account at ${service} was deleted`,
      heading: 'Your account was deleted',
      body: [`Your account at ${service} and all of its data were deleted. This cannot be undone.`],
      otherwise: 'Not you? Someone knew your password: change it wherever else you use it.',
    }),
    account_removed: ({ service }) => ({
      subject: `Your account at ${service} was deleted`,
      heading: 'Your account was deleted',
      body: [`An administrator of ${service} deleted your account and all of its data. This cannot be undone.`],
      otherwise: 'If you think this is a mistake, contact the people who run the service.',
    }),
  },
  parts: {
    link: 'If the button does not work, open this link:',
    lasts: (hours) =>
      hours === 1
        ? 'The link is valid for one hour.'
        : `The link is valid for ${hours > 48 ? `${hours / 24} days` : `${hours} hours`}.`,
    code: (minutes, page) =>
      page === undefined
        ? `Or enter this code on another device. It is valid for ${minutes} minutes:`
        : `Or open ${page} on another device and enter this code within ${minutes} minutes:`,
    when: 'When',
    where: 'From',
    device: 'Device',
    footer: (service) => `Sent by ${service}. Please do not reply to this email.`,
  },
};
