import type { Deps } from '../deps.ts';
import { addressBucket } from '../limits/client-address.ts';
import { verifyDeviceToken } from '../limits/device.ts';
import type { Attempt } from '../limits/lockout.ts';
import type { Hit } from '../limits/rate-limit.ts';
import { type Identifier, readIdentifier } from './identifier.ts';

/** A sign-in before its password is looked at: found out without a round trip. */
export interface LoginAttempt {
  readonly identifier: Identifier;
  /** The id of a device that has signed in to this account before. */
  readonly deviceId: string | undefined;
  readonly attempt: Attempt;
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
  address: string | undefined,
): Promise<{ hits: readonly LoginHit[]; attempt: Attempt; subject: LoginAttempt }> {
  const identifier = await readIdentifier(deps, typed);
  const account = identifier.limitKey;
  const verified = await Promise.all(shown.map((token) => verifyDeviceToken(deps, token, identifier.name)));
  const deviceId = verified.find((id) => id !== undefined);
  const bucket = addressBucket(address);
  const hits: LoginHit[] =
    deviceId === undefined
      ? [{ policy: 'login_address', key: bucket }]
      : [
          { policy: 'login_device', key: deviceId },
          { policy: 'login_known_address', key: bucket },
        ];
  const counters: Attempt['counters'] =
    deviceId === undefined
      ? [
          { lockout: 'lockout_account_address', key: `${account}:${bucket}` },
          { lockout: 'lockout_account', key: account },
        ]
      : [{ lockout: 'lockout_device', key: `${account}:${deviceId}` }];
  const attempt = { account, counters };
  return { hits, attempt, subject: { identifier, deviceId, attempt } };
}
