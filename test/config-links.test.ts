import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { testSecret } from './support/secret.ts';

const read = (variables: Record<string, string>) =>
  readConfig({
    ENVIRONMENT: 'dev',
    AUTH_SECRET: testSecret,
    ISSUER: 'http://localhost:8787',
    DATABASE_URL: 'postgres://localhost/x',
    ...variables,
  }).links;

/** Addresses that no list may contain, each with the reason. */
const refusedBases = [
  ['app.example', 'it has no scheme'],
  ['//app.example', 'it has no scheme'],
  ['/welcome', 'it is a path'],
  ['http://app.example', 'the network can read and change it'],
  ['http://localhost.evil.example', 'it is another host'],
  ['https://user@app.example', 'it contains a user'],
  ['https://user:secret@app.example', 'it contains a password'],
  ['https://app.example/?next=', 'it contains a query'],
  ['https://app.example/#home', 'it contains a fragment'],
  ['javascript://app.example/%0aalert(1)', 'a browser runs it'],
  ['JaVaScRiPt:alert(1)', 'a browser runs it'],
  ['data://text/html,x', 'a browser shows it'],
  ['vbscript://x', 'a browser runs it'],
  ['file://host/share', 'it is a file'],
  ['blob://x', 'a browser shows it'],
  ['about://blank', 'a browser shows it'],
  ['view-source://app.example', 'a browser shows it'],
  ['ftp://app.example', 'the network can read it'],
  ['ws://app.example', 'it is no page'],
  ['myapp:callback', 'it has no host'],
  ['myapp:///', 'it has no host'],
  ['https://', 'it has no host'],
] as const;

describe('REDIRECT_URLS', () => {
  it.each(refusedBases)('refuses %s: %s', (entry) => {
    expect(() => read({ REDIRECT_URLS: `https://app.example,${entry}` })).toThrow(/REDIRECT_URLS: Expected addresses/);
  });

  it('takes https addresses, those of this device, and those of apps, separated by commas or blanks', () => {
    const entries =
      'https://app.example/welcome, http://localhost:5173\nhttp://127.0.0.1 http://[::1]:3000,myapp://done';
    expect(read({ APP_URL: 'https://app.example', REDIRECT_URLS: entries }).redirectUrls).toEqual([
      'https://app.example',
      'https://app.example/welcome',
      'http://localhost:5173',
      'http://127.0.0.1',
      'http://[::1]:3000',
      'myapp://done',
    ]);
  });
});

describe('APP_URL', () => {
  it.each([
    'app.example',
    'myapp://done',
    'http://app.example',
    'https://user@app.example',
    'https://app.example/?a=1',
    'https://app.example/#a',
    'javascript:alert(1)',
  ])('refuses %s', (value) => {
    expect(() => read({ APP_URL: value })).toThrow(/APP_URL: Expected an/);
  });
});

describe('the LINK_* templates', () => {
  const variables = ['LINK_VERIFY_EMAIL', 'LINK_RESET_PASSWORD', 'LINK_CONFIRM_EMAIL_CHANGE', 'LINK_UNDO_EMAIL_CHANGE'];

  it.each([
    ['https://app.example/verify', 'the token is missing'],
    ['https://app.example/verify#token={token}&again={token}', 'the token is there twice'],
    ['https://app.example/verify#{redirect_to}', 'the token is missing'],
    ['https://app.example/verify#token={token}&a={redirect_to}&b={redirect_to}', 'the way on is there twice'],
    ['https://app.example/verify#token={token}&user={user}', 'there is no such placeholder'],
    ['https://app.example/verify#token={TOKEN}', 'there is no such placeholder'],
    ['https://app.example/verify#token={token', 'the brace stays open'],
    ['https://app.example/verify#token={token}}', 'a brace is left over'],
    ['https://{token}.app.example/', 'the name server would learn the token'],
    ['https://app.example:{token}/', 'the token is no port'],
    ['https://user:{token}@app.example/', 'the token is no password'],
    ['http://app.example/verify#token={token}', 'the network could read the token'],
    ['myapp://verify#token={token}', 'mail programs make no links of it'],
    ['javascript:alert("{token}")', 'a browser runs it'],
    ['/verify#token={token}', 'it has no host'],
    ['https://app.example/verify #token={token}', 'a mail program would cut it at the blank'],
  ])('refuse %s: %s', (value) => {
    for (const variable of variables)
      expect(() => read({ [variable]: value })).toThrow(
        new RegExp(`${variable}: Expected an https address with {token}`),
      );
  });

  it.each([
    'https://app.example/verify#token={token}',
    'https://app.example/verify/{token}',
    'https://app.example/verify?next={redirect_to}#token={token}',
    'https://app.example/verify#token={token}&next={redirect_to}',
    'http://localhost:5173/#/verify?token={token}',
  ])('take %s', (value) => {
    for (const variable of variables) expect(Object.values(read({ [variable]: value }).templates)).toContain(value);
  });
});
