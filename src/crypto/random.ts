/**
 * A UUIDv7 (RFC 9562 section 5.7): 48 bits of time, then 74 random bits.
 * @param milliseconds since the epoch
 */
export function uuidv7(milliseconds: number): string {
  return written(milliseconds, crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * The UUIDv7 of a time that is always the same for the same bytes.
 * @param bytes 16 of a hash, in place of the random ones
 */
export function derivedUuidv7(milliseconds: number, bytes: Uint8Array): string {
  return written(milliseconds, Uint8Array.from(bytes.subarray(0, 16)));
}

/** The least UUIDv7 of a time: those of earlier times sort before it, all others do not. */
export function minUuidv7(milliseconds: number): string {
  return written(milliseconds, new Uint8Array(16));
}

function written(milliseconds: number, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(milliseconds / 2 ** 32));
  view.setUint32(2, milliseconds % 2 ** 32);
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f));
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The time a UUIDv7 carries, in milliseconds since the epoch. */
export function timeOfUuidv7(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
