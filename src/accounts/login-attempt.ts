import type { Call } from '../call.ts';
import type { Deps } from '../deps.ts';
import { type Device, verifyDeviceToken } from '../limits/device.ts';
import type { Attempt } from '../limits/lockout.ts';
import type { Hit } from '../limits/rate-limit.ts';
import { type Identifier, readIdentifier } from './identifier.ts';

/** A sign-in before its password is looked at: found out without a round trip. */
export interface LoginAttempt {
  readonly identifier: Identifier;
  /** A device that has signed in to this account before, by what its token says. */
  readonly device: Device | undefined;
  readonly attempt: Attempt;
  /** What it counts against where the token says too much. */
  readonly asStranger: { readonly hits: readonly LoginHit[]; readonly attempt: Attempt };
}

/** What a sign-in can count against. */
export const loginLimits = ['login_address', 'login_device', 'login_known_address'] as const;
type LoginHit = Hit<(typeof loginLimits)[number]>;

/**
 * What a sign-in counts against. A device that is known counts by itself: neither failures that strangers make for this
 * account nor the limit of its address, which it may share with them, keep its owner out. With the other known devices
 * of its address it shares a higher limit, since anybody can have any number of devices for an account of their own.
 * @param shown the device tokens that came along
 */
export async function prepareLogin(
  deps: Pick<Deps, 'keyring' | 'now'>,
  typed: string,
  shown: readonly string[],
  call: Pick<Call, 'addressKey'>,
): Promise<{ hits: readonly LoginHit[]; attempt: Attempt; subject: LoginAttempt }> {
  const identifier = await readIdentifier(deps, typed);
  const account = identifier.limitKey;
  const verified = await Promise.all(shown.map((token) => verifyDeviceToken(deps, token, identifier.name)));
  const device = verified.find((each) => each !== undefined);
  const bucket = await call.addressKey();
  const asStranger = {
    hits: [{ policy: 'login_address', key: bucket }] satisfies LoginHit[],
    attempt: {
      account,
      counters: [
        { lockout: 'lockout_account_address', key: `${account}:${bucket}` },
        { lockout: 'lockout_account', key: account },
      ],
    } satisfies Attempt,
  };
  if (device === undefined)
    return { ...asStranger, subject: { identifier, device, attempt: asStranger.attempt, asStranger } };
  // Devices of another time count by themselves, and cannot lock out those of now.
  const attempt: Attempt = {
    account,
    counters: [
      { lockout: 'lockout_device', key: `${account}:${device.id}` },
      { lockout: 'lockout_account_devices', key: `${account}:${device.stamp}` },
    ],
  };
  const hits: LoginHit[] = [
    { policy: 'login_device', key: device.id },
    { policy: 'login_known_address', key: bucket },
  ];
  return { hits, attempt, subject: { identifier, device, attempt, asStranger } };
}
