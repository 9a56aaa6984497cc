const encoder = new TextEncoder();

/**
 * A body that is made while it is read, and no faster. Where making it fails, the client sees it break off.
 * @param onError told why, since the answer has long begun
 */
export function streamOf(pieces: AsyncGenerator<string>, onError: (error: unknown) => void): ReadableStream {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await pieces.next();
          if (done) controller.close();
          else controller.enqueue(encoder.encode(value));
        } catch (error) {
          onError(error);
          controller.error(new Error('The answer could not be completed'));
        }
      },
      async cancel() {
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
