import { decodeBase64 } from './base64.ts';
import { toPbkdf2 } from './pbkdf2.ts';
import { type ReadHash, refuse } from './scheme.ts';

const digests = ['sha1', 'sha256', 'sha512'] as const;
const HEADER = 13;
const shape = /^A[A-Q][A-Za-z0-9+/]{40,200}={0,2}$/;

/**
 * ASP.NET Core Identity: base64 of a version, and what PBKDF2 needs. Version 3 says which digest and how many
 * iterations; version 2 is SHA-1 with 1,000.
 */
export const readAspNet: ReadHash = (text, limits) => {
  const bytes = shape.test(text) && text.length % 4 === 0 ? decodeBase64(text) : null;
  if (bytes === null) return undefined;
  if (bytes[0] === 0 && bytes.length === 49) {
    return toPbkdf2('sha1', 1000, bytes.subarray(1, 17), bytes.subarray(17), limits);
  }
  if (bytes[0] !== 1 || bytes.length <= HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const digest = digests[view.getUint32(1)];
  const [iterations, saltLength] = [view.getUint32(5), view.getUint32(9)];
  if (digest === undefined || iterations === 0 || HEADER + saltLength >= bytes.length) {
    return refuse('Looks like ASP.NET Core Identity version 3, but its parts do not match');
  }
  const salt = bytes.subarray(HEADER, HEADER + saltLength);
  return toPbkdf2(digest, iterations, salt, bytes.subarray(HEADER + saltLength), limits);
};
