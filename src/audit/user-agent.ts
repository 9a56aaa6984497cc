import Bowser from 'bowser';
import * as z from 'zod';

/** What is kept of a user agent has no more characters; no browser sends as many. */
const longest = 256;
const devices = ['desktop', 'mobile', 'tablet', 'tv', 'bot'] as const;
const browsers: ReadonlySet<string> = new Set(Object.values(Bowser.BROWSER_MAP));
const systems: ReadonlySet<string> = new Set(Object.values(Bowser.OS_MAP));
/**
 * The product that a program names first (RFC 9110 section 10.1.5): `curl/8.5.0`. Anybody may send anything, and people
 * read it in mails: so no dots, digits or blanks, which would make an address, a phone number or a sentence of it.
 */
const product = /^([A-Za-z][A-Za-z-]{0,19})\/\d/;

/** How responses tell of a user agent. */
export const userAgentFields = {
  browser: z.string().nullable().describe('The browser or program, such as curl. Null if unknown'),
  os: z.string().nullable(),
  device: z.enum(devices).nullable(),
};

/** What examples tell of where somebody came from. */
export const exampleOrigin = {
  address: '192.0.2.0/24',
  user_agent: 'curl/8.5.0',
  ...{ browser: 'curl', os: null, device: null },
};

export interface UserAgent {
  readonly browser: string | null;
  readonly os: string | null;
  readonly device: (typeof devices)[number] | null;
}

/**
 * What a `User-Agent` header says of the browser, the operating system and the kind of device. A header is a claim and
 * no proof; the names come from a list, or are a single word.
 */
export function describeUserAgent(userAgent: string | null): UserAgent {
  const text = userAgent?.slice(0, longest) ?? '';
  // Bowser takes an empty one for a mistake of the caller.
  if (text === '') return { browser: null, os: null, device: null };
  const { browser, os, platform } = Bowser.parse(text);
  return {
    browser: known(browsers, browser.name) ?? productOf(text),
    os: known(systems, os.name),
    device: devices.find((device) => device === platform.type) ?? null,
  };
}

/** `Firefox on Windows`, as far as it is known; null where nothing is. */
export function userAgentInWords(userAgent: string | null): string | null {
  const { browser, os } = describeUserAgent(userAgent);
  return browser !== null && os !== null ? `${browser} on ${os}` : (browser ?? os);
}

const known = (names: ReadonlySet<string>, name: string | undefined) =>
  name !== undefined && names.has(name) ? name : null;

function productOf(text: string): string | null {
  const name = product.exec(text)?.[1];
  // Every browser says that it is Mozilla.
  return name === undefined || name === 'Mozilla' ? null : name;
}
