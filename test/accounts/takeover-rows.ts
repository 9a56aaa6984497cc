/**
 * Whoever types an address, and whatever stands there: what they are told, what the holder of the mailbox gets, and who
 * can sign in afterwards. `owner` is the password from before, `typed` the one of whoever typed the address, `chosen` the
 * one that the holder chooses by a mail. `npm run check:takeover` prints the table.
 */
export interface Row {
  readonly typed: string;
  readonly stands: string;
  /** The status of the answer, or what a command or an import says. */
  readonly answer: string;
  /** The subject of the mail to the address. */
  readonly mail: string;
  /** Whose the address is once the holder has pressed the button of that mail, and which passwords sign in. */
  readonly pressed: string;
  /** The same where the holder asks for a new password instead. */
  readonly reset: string;
}

const table = `
a registrant | nothing | 202 | Finish signing up | a new account: typed | a new account: chosen
a registrant | a registration that waits | 202 | Finish signing up | a new account: typed | a new account: chosen
a registrant | an unverified account | 202 | Choose a password for your account | the same account: chosen | the same account: chosen
a registrant | an unverified account without a password | 202 | Choose a password for your account | the same account: chosen | the same account: chosen
a registrant | an unverified admin | 202 | Choose a password for your account | the same account: chosen as an admin | the same account: chosen as an admin
a registrant | an imported account | 202 | Choose a password for your account | the same account: chosen as an admin | the same account: chosen as an admin
a registrant | an imported account without a password | 202 | Choose a password for your account | the same account: chosen | the same account: chosen
a registrant | an account by an admin | 202 | Choose a password for your account | the same account: chosen | the same account: chosen
a registrant | an account by an admin without a password | 202 | Choose a password for your account | the same account: chosen | the same account: chosen
a registrant | an account by create-admin --mail | 202 | Choose a password for your account | the same account: chosen as an admin | the same account: chosen as an admin
a registrant | a verified account | 202 | You already have an account | the same account: owner | the same account: chosen
a registrant | a disabled account | 202 | You already have an account | the same account, no password | the same account, no password
a registrant, unverified | nothing | 201 | Confirm your email address | a new account: typed | a new account: chosen
a registrant, unverified | a registration that waits | 201 | Confirm your email address | a new account: typed | a new account: chosen
a registrant, unverified | an unverified account | 409 | no mail | the same account: owner once it is verified | the same account: chosen
a registrant, unverified | an unverified account without a password | 409 | no mail | the same account, no password | the same account: chosen
a registrant, unverified | an unverified admin | 409 | no mail | the same account: owner once it is verified | the same account: chosen as an admin
a registrant, unverified | an imported account | 409 | no mail | the same account: owner once it is verified | the same account: chosen as an admin
a registrant, unverified | an imported account without a password | 409 | no mail | the same account, no password | the same account: chosen
a registrant, unverified | an account by an admin | 409 | no mail | the same account: owner once it is verified | the same account: chosen
a registrant, unverified | an account by an admin without a password | 409 | no mail | the same account, no password | the same account: chosen
a registrant, unverified | an account by create-admin --mail | 409 | no mail | the same account, no password | the same account: chosen as an admin
a registrant, unverified | a verified account | 409 | no mail | the same account: owner | the same account: chosen
a registrant, unverified | a disabled account | 409 | no mail | the same account, no password | the same account, no password
an import | nothing | imported | no mail | a new account: typed once it is verified | a new account: chosen
an import | a registration that waits | imported | no mail | a new account: typed once it is verified | a new account: chosen
an import | an unverified account | left out | no mail | the same account: owner once it is verified | the same account: chosen
an import | an unverified account without a password | left out | no mail | the same account, no password | the same account: chosen
an import | an unverified admin | left out | no mail | the same account: owner once it is verified | the same account: chosen as an admin
an import | an imported account | left out | no mail | the same account: owner once it is verified | the same account: chosen as an admin
an import | an imported account without a password | left out | no mail | the same account, no password | the same account: chosen
an import | an account by an admin | left out | no mail | the same account: owner once it is verified | the same account: chosen
an import | an account by an admin without a password | left out | no mail | the same account, no password | the same account: chosen
an import | an account by create-admin --mail | left out | no mail | the same account, no password | the same account: chosen as an admin
an import | a verified account | left out | no mail | the same account: owner | the same account: chosen
an import | a disabled account | left out | no mail | the same account, no password | the same account, no password
an admin | nothing | 201 | Your account | a new account: typed | a new account: chosen
an admin | a registration that waits | 201 | Your account | a new account: typed | a new account: chosen
an admin | an unverified account | 409 | no mail | the same account: owner once it is verified | the same account: chosen
an admin | an unverified account without a password | 409 | no mail | the same account, no password | the same account: chosen
an admin | an unverified admin | 409 | no mail | the same account: owner once it is verified | the same account: chosen as an admin
an admin | an imported account | 409 | no mail | the same account: owner once it is verified | the same account: chosen as an admin
an admin | an imported account without a password | 409 | no mail | the same account, no password | the same account: chosen
an admin | an account by an admin | 409 | no mail | the same account: owner once it is verified | the same account: chosen
an admin | an account by an admin without a password | 409 | no mail | the same account, no password | the same account: chosen
an admin | an account by create-admin --mail | 409 | no mail | the same account, no password | the same account: chosen as an admin
an admin | a verified account | 409 | no mail | the same account: owner | the same account: chosen
an admin | a disabled account | 409 | no mail | the same account, no password | the same account, no password
create-admin | nothing | created | no mail | a new account: typed as an admin | a new account: chosen as an admin
create-admin | a registration that waits | created | no mail | a new account: typed as an admin | a new account: chosen as an admin
create-admin | an unverified account | claimed | no mail | the same account: typed as an admin | the same account: chosen as an admin
create-admin | an unverified account without a password | claimed | no mail | the same account: typed as an admin | the same account: chosen as an admin
create-admin | an unverified admin | claimed | no mail | the same account: typed as an admin | the same account: chosen as an admin
create-admin | an imported account | claimed | no mail | the same account: typed as an admin | the same account: chosen as an admin
create-admin | an imported account without a password | claimed | no mail | the same account: typed as an admin | the same account: chosen as an admin
create-admin | an account by an admin | claimed | no mail | the same account: typed as an admin | the same account: chosen as an admin
create-admin | an account by an admin without a password | claimed | no mail | the same account: typed as an admin | the same account: chosen as an admin
create-admin | an account by create-admin --mail | claimed | no mail | the same account: typed as an admin | the same account: chosen as an admin
create-admin | a verified account | promoted | no mail | the same account: owner as an admin | the same account: chosen as an admin
create-admin | a disabled account | promoted | no mail | the same account: owner as an admin | the same account: chosen as an admin
another user | nothing | 202 | Confirm your new email address | a new account: typed | nobody, no password
another user | a registration that waits | 202 | Confirm your new email address | a new account: typed | a new account: chosen
another user | an unverified account | 202 | Choose a password for your account | the same account: chosen | the same account: chosen
another user | an unverified account without a password | 202 | Choose a password for your account | the same account: chosen | the same account: chosen
another user | an unverified admin | 202 | Choose a password for your account | the same account: chosen as an admin | the same account: chosen as an admin
another user | an imported account | 202 | Choose a password for your account | the same account: chosen as an admin | the same account: chosen as an admin
another user | an imported account without a password | 202 | Choose a password for your account | the same account: chosen | the same account: chosen
another user | an account by an admin | 202 | Choose a password for your account | the same account: chosen | the same account: chosen
another user | an account by an admin without a password | 202 | Choose a password for your account | the same account: chosen | the same account: chosen
another user | an account by create-admin --mail | 202 | Choose a password for your account | the same account: chosen as an admin | the same account: chosen as an admin
another user | a verified account | 202 | You already have an account | the same account: owner | the same account: chosen
another user | a disabled account | 202 | You already have an account | the same account, no password | the same account, no password
`;

export const rows: readonly Row[] = table
  .trim()
  .split('\n')
  .map((line) => {
    const [typed = '', stands = '', answer = '', mail = '', pressed = '', reset = ''] = line.split(' | ');
    return { typed, stands, answer, mail, pressed, reset };
  });
