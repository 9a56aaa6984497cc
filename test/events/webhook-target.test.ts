import { describe, expect, it } from 'vitest';
import { isPublicAddress, targetProblem } from '../../src/events/webhook-target.ts';

const problem = (url: string, allowPrivate = false) => targetProblem(new URL(url), allowPrivate);

describe('the target of a webhook', () => {
  it.each([
    'https://receiver.example',
    'https://receiver.example:8443/events?tenant=1',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]/',
  ])('may be %s', (url) => {
    expect(problem(url)).toBeUndefined();
  });

  it.each([
    // Loopback, in the spellings that URL reads as IPv4.
    ...['https://127.0.0.1', 'https://127.1', 'https://2130706433', 'https://0x7f.0.0.1', 'https://017700000001'],
    ...['https://0.0.0.0', 'https://[::1]', 'https://[::]', 'https://127。0。0。1', 'https://①②⑦.0.0.1'],
    // Private, shared, link-local, metadata, multicast, reserved.
    ...[
      'https://10.1.2.3',
      'https://172.31.255.255',
      'https://192.168.0.1',
      'https://100.64.0.1',
      'https://198.18.0.1',
    ],
    ...['https://169.254.169.254', 'https://168.63.129.16', 'https://100.100.100.200', 'https://192.0.0.192'],
    ...['https://224.0.0.1', 'https://255.255.255.255', 'https://240.0.0.1'],
    ...[
      'https://[fd00:ec2::254]',
      'https://[fe80::1]',
      'https://[fec0::1]',
      'https://[ff02::1]',
      'https://[2001:db8::1]',
    ],
    // IPv4 within IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo.
    ...[
      'https://[::ffff:127.0.0.1]',
      'https://[::ffff:7f00:1]',
      'https://[::127.0.0.1]',
      'https://[::ffff:0:127.0.0.1]',
    ],
    ...['https://[64:ff9b::7f00:1]', 'https://[64:ff9b:1::7f00:1]', 'https://[2002:7f00:1::]', 'https://[2001::1]'],
    // Names.
    ...['https://localhost', 'https://LOCALHOST.', 'https://a.localhost', 'https://metadata', 'https://redis'],
    ...['https://metadata.google.internal', 'https://metadata.google.internal.', 'https://printer.local'],
    ...['https://db.svc.cluster.local', 'https://nas.home.arpa', 'https://localhost.localdomain'],
  ])('may not be %s unless private ones are allowed', (url) => {
    expect(problem(url)).toContain('private network');
    expect(problem(url, true)).toBeUndefined();
  });

  it('is https unless private ones are allowed, and nothing else ever', () => {
    expect(problem('http://receiver.example')).toContain('must be https');
    expect(problem('http://receiver.example', true)).toBeUndefined();
    for (const url of ['ftp://receiver.example', 'file:///etc/passwd', 'data:,a', 'https://a:b@receiver.example']) {
      expect(problem(url, true)).toBeDefined();
    }
  });

  it.each([
    ['fe80::1%eth0', false],
    ['::ffff:8.8.8.8', false],
    ['2001:4860:4860::8888', true],
    ['8.8.8.8', true],
    ['010.8.8.8', false],
    ['not an address', false],
    ['', false],
  ])('counts %s as public: %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});
