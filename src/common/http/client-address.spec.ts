import { canonicalAddress, networkOf } from './client-address.js';

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
