import { createHash } from 'node:crypto';

/**
 * Remembers which texts were there, in 16 to 32 bytes each: a set of strings would not fit where millions come.
 * @returns a function that says whether it was given this text before
 */
export function createSeen(): (text: string) => boolean {
  let slots = new BigUint64Array(1024);
  let count = 0;

  /** The slot that holds a fingerprint, or the free one where it belongs. */
  function slotOf(table: BigUint64Array, fingerprint: bigint): number {
    let slot = Number(fingerprint % BigInt(table.length));
    while (table[slot] !== 0n && table[slot] !== fingerprint) slot = (slot + 1) % table.length;
    return slot;
  }

  function grow(): void {
    const larger = new BigUint64Array(slots.length * 2);
    for (const fingerprint of slots) if (fingerprint !== 0n) larger[slotOf(larger, fingerprint)] = fingerprint;
    slots = larger;
  }

  return (text) => {
    // 64 bits: of ten million texts, two are taken for one with a chance of 3 in a million. Zero marks a free slot.
    const fingerprint = createHash('sha256').update(text).digest().readBigUInt64LE() || 1n;
    const slot = slotOf(slots, fingerprint);
    if (slots[slot] === fingerprint) return true;
    slots[slot] = fingerprint;
    count += 1;
    if (count * 2 > slots.length) grow();
    return false;
  };
}
