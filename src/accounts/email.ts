/** An email address: as it is sent to and shown, and in the one form that counts as the same. */
export interface EmailAddress {
  readonly address: string;
  readonly key: string;
}

/**
 * What an address may not hold before the @ unless quoted, and nobody quotes (RFC 5321 section 4.1.2, RFC 6531), and
 * what shows nothing. Dots may stand anywhere, as browsers allow it (`<input type=email>`): providers gave such addresses
 * out, docomo among them.
 */
const localPart = /^[^\s@"(),:;<>[\\\]\p{C}\p{Default_Ignorable_Code_Point}]{1,64}$/u;
const domainPart = /^[\p{L}\p{M}\p{N}.-]{1,253}$/u;
const encoder = new TextEncoder();

/**
 * Normalises an address: NFKC, trimmed, the domain in its ASCII form (UTS 46). In the key the local part is lower
 * case too: that some server could tell `Ann@` from `ann@` is theory, that people type both is not.
 * @returns undefined where it is not an address
 */
export function normaliseEmail(text: string): EmailAddress | undefined {
  const typed = text.normalize('NFKC').trim();
  const at = typed.lastIndexOf('@');
  const local = typed.slice(0, at);
  const domain = asciiDomain(typed.slice(at + 1));
  if (at < 1 || domain === undefined || !localPart.test(local)) return undefined;
  const address = `${local}@${domain}`;
  // RFC 5321 section 4.5.3.1, counted as it is sent: in octets.
  if (encoder.encode(local).length > 64 || encoder.encode(address).length > 254) return undefined;
  return { address, key: `${local.toLowerCase().normalize('NFKC')}@${domain}` };
}

function asciiDomain(domain: string): string | undefined {
  if (!domainPart.test(domain)) return undefined;
  const ascii = URL.parse(`http://${domain}`)?.hostname;
  if (ascii === undefined || ascii.length > 253) return undefined;
  const labels = ascii.split('.');
  const isName = labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  // A last label of digits is an IP address, which the URL parser reads in many spellings.
  return isName && labels.length > 1 && /[a-z]/.test(labels.at(-1) ?? '') ? ascii : undefined;
}

/** An address as others may see it who know it already: `b…@example.com`. */
export function maskEmail(address: string): string {
  const at = address.lastIndexOf('@');
  const [first = ''] = address;
  return `${first}…${address.slice(at)}`;
}
