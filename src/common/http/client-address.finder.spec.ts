import type { IncomingMessage } from 'node:http';
import { Logger } from '@nestjs/common';
import { ClientAddressFinder } from './client-address.finder.js';

describe('ClientAddressFinder', () => {
  const finder = new ClientAddressFinder({ trustedProxies: ['loopback', '10.0.0.0/8', '2001:db8:ffff::/48'] });
  const request = (remoteAddress: string | undefined, forwardedFor?: string): IncomingMessage =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwardedFor } }) as unknown as IncomingMessage;

  let warned: jest.SpiedFunction<Logger['warn']>;

  beforeEach(() => (warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined)));
  afterEach(() => warned.mockRestore());

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
    expect(finder.addressOf(request(remote, forwardedFor))).toBe(address);
  });

  it('believes no header without trusted proxies', () => {
    expect(new ClientAddressFinder({ trustedProxies: [] }).addressOf(request('127.0.0.1', '192.0.2.7'))).toBe(
      '127.0.0.1',
    );
  });
});
