import type { IncomingMessage } from 'node:http';
import { addressFinder, canonicalAddress, networkOf } from './client-address.js';

describe('canonicalAddress', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7:4711', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:C000:0207', '192.0.2.7'],
    ['[::ffff:192.0.2.7]:4711', '192.0.2.7'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:443', 'fe80::1'],
  ])('writes %s as %s', (text, address) => {
    expect(canonicalAddress(text)).toBe(address);
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    'localhost',
    '192.0.2',
    '192.0.2.256',
    '0x7f.1',
    '0300.0.2.7',
    '3221225991',
    '192.0.2.7:',
    '192.0.2.7:http',
    '[192.0.2.7',
    '2001:db8::g',
    '[2001:db8::1]443',
    '192.0.2.7, 192.0.2.8',
    '%eth0',
  ])('finds no address in %j', (text) => {
    expect(canonicalAddress(text)).toBeUndefined();
  });
});

describe('addressFinder', () => {
  const addressOf = addressFinder(['loopback', '10.0.0.0/8', '2001:db8:ffff::/48']);
  const request = (remoteAddress: string | undefined, forwardedFor?: string): IncomingMessage =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwardedFor } }) as unknown as IncomingMessage;

  it.each([
    ['whoever connects, if that is no proxy', '203.0.113.9', '192.0.2.7', '203.0.113.9'],
    ['a proxy that names nobody', '127.0.0.1', undefined, '127.0.0.1'],
    ['whom the proxy names', '::ffff:127.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['whom the proxy names with a port', '127.0.0.1', '[2001:DB8::1]:50000', '2001:db8::1'],
    ['the last one that is no proxy', '127.0.0.1', '1.1.1.1, 192.0.2.7, 10.0.0.1,10.0.0.2:80', '192.0.2.7'],
    ['the last one that is no proxy, over IPv6', '2001:db8:ffff::1', '192.0.2.7 , [2001:db8:ffff::2]', '192.0.2.7'],
    ['the first proxy, if all are proxies', '127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['the proxy, for an entry that is no address', '127.0.0.1', '192.0.2.7, unknown', '127.0.0.1'],
    ['the proxy before it, for such an entry further back', '127.0.0.1', '192.0.2.7, -, 10.0.0.2', '10.0.0.2'],
    ['the proxy, for an empty entry', '127.0.0.1', '192.0.2.7,', '127.0.0.1'],
    ['nobody, when the connection is closed', undefined, '192.0.2.7', ''],
  ])('takes %s', (_, remote, forwardedFor, address) => {
    expect(addressOf(request(remote, forwardedFor))).toBe(address);
  });

  it('believes no header without trusted proxies', () => {
    expect(addressFinder([])(request('127.0.0.1', '192.0.2.7'))).toBe('127.0.0.1');
  });
});

describe('networkOf', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2::a', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:a:b:c:d', '2001:db8:1:2::/64'],
    ['', ''],
  ])('is for %j %j', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
