/** How much of a body that nobody asked for is read, and for how long: bytes and milliseconds. */
const maximum = 1024 * 1024;
const patience = 5000;

/**
 * Reads and drops a body that was answered without being read, within bounds, before its answer goes out: workerd closes a
 * connection under a client that is still sending, and a proxy before it then loses the answer. Of a body without a length
 * that was too large, the beginning has been read, and the rest stays.
 * @returns when the body is over, or the bounds are reached
 */
export async function dropUnreadBody({ body, bodyUsed }: Request): Promise<void> {
  if (body === null || bodyUsed || body.locked) return;
  const reader = body.getReader();
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), patience);
  try {
    for (let left = maximum; left > 0; ) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The client has gone: nobody waits for the answer.
  } finally {
    clearTimeout(timer);
  }
}
