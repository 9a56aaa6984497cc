/** W3C Trace Context (Recommendation, level 1): what a request tells of the trace it belongs to, and what is passed on. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The span of whoever asks: 16 hexadecimal digits. */
  readonly parentId: string;
  readonly sampled: boolean;
}

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Reads a `traceparent` header (section 3.2).
 * @returns undefined where it is not valid: then a new trace begins, and its `tracestate` says nothing (section 4.3)
 */
export function parseTraceParent(header: string | undefined): TraceParent | undefined {
  const [, version = '', traceId = '', parentId = '', flags = '', more] = shape.exec(header ?? '') ?? [];
  if (version === '' || version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  // Only a later version may say more.
  if (version === '00' && more !== undefined) return undefined;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export const formatTraceParent = ({ traceId, parentId, sampled }: TraceParent): string =>
  `00-${traceId}-${parentId}-${sampled ? '01' : '00'}`;

const simpleKey = '[a-z][a-z0-9_\\-*/]{0,255}';
const tenantKey = '[a-z0-9][a-z0-9_\\-*/]{0,240}@[a-z][a-z0-9_\\-*/]{0,13}';
/** Printable ASCII without comma and equals sign, and no blank at its end. */
const value = '[\\x20-\\x2b\\x2d-\\x3c\\x3e-\\x7e]{0,255}[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e]';
const member = new RegExp(`^(${simpleKey}|${tenantKey})=(${value})$`);
const maxMembers = 32;
const maxCharacters = 512;

/**
 * Reads a `tracestate` header (section 3.3), to pass it on as it came.
 * @returns undefined for one that is empty, not valid, or longer than has to be passed on
 */
export function parseTraceState(header: string | undefined): string | undefined {
  const members = (header ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const keys = members.map((text) => member.exec(text)?.[1]);
  const isValid = keys.every((key) => key !== undefined) && new Set(keys).size === keys.length;
  const state = members.join(',');
  return isValid && members.length > 0 && members.length <= maxMembers && state.length <= maxCharacters
    ? state
    : undefined;
}

/** So many random bytes as hexadecimal digits, not all of which are zero. */
export function randomId(bytes: 8 | 16): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  if (random.every((byte) => byte === 0)) return randomId(bytes);
  let text = '';
  for (const byte of random) text += hexadecimal[byte];
  return text;
}

const hexadecimal = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Whether a new trace is among the share of them that is recorded, as every other service would decide from its id. */
export const isAmong = (traceId: string, ratio: number): boolean =>
  Number.parseInt(traceId.slice(-14), 16) < ratio * 2 ** 56;
