import * as z from 'zod';

export const password = 'correct horse battery staple';
export const tokens = z.object({ access_token: z.string(), refresh_token: z.string() });

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** JSON, parsed; text where it is none. */
  readonly answer: unknown;
}

/** Sends one request to `base`, such as `http://127.0.0.1:3000`. @param patience when it gives up: milliseconds */
export async function send(
  base: string,
  method: string,
  path: string,
  { body, bearer }: { readonly body?: object; readonly bearer?: string } = {},
  patience = 20_000,
): Promise<Answer> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(patience),
  });
  const text = await response.text();
  const isJson = response.headers.get('Content-Type')?.includes('json') ?? false;
  const answer: unknown = isJson ? JSON.parse(text) : text;
  return { status: response.status, retryAfter: response.headers.get('Retry-After'), answer };
}
