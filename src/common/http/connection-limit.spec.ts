import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { limitConnections } from './connection-limit.js';
import { answerAllRequests } from './ordinary-requests.js';

const STRANGER = '127.0.9.1';
const PROXY = '127.0.9.2';
const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n';

describe('limitConnections', () => {
  let server: Server;
  const open: Socket[] = [];

  beforeEach(async () => {
    server = createServer((_, response) => response.end('served'));
    answerAllRequests(server);
    limitConnections(server, (address) => address === PROXY, 3);
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.destroy();
    await once(server.close(), 'close');
  });

  /** Opens a connection and sends requests on it; whether the last one is answered. */
  const serves = async (localAddress: string, ...requests: string[]): Promise<boolean> => {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    open.push(socket);
    let isServed = false;
    for (const request of requests.length > 0 ? requests : [`${REQUEST}\r\n`]) {
      socket.write(request);
      isServed = await Promise.race([
        once(socket, 'data').then(() => true),
        once(socket, 'close').then(
          () => false,
          () => false,
        ),
      ]);
    }
    return isServed;
  };

  it('closes a connection beyond the limit of its address, and serves other addresses', async () => {
    for (let index = 0; index < 3; index += 1) expect(await serves(STRANGER)).toBe(true);
    expect([await serves(STRANGER), await serves('127.0.9.3')]).toEqual([false, true]);
  });

  it('serves a next one when one has closed', async () => {
    for (let index = 0; index < 3; index += 1) expect(await serves(STRANGER)).toBe(true);
    open[0]!.destroy();
    while (!(await serves(STRANGER)));
    expect(await serves(STRANGER)).toBe(false);
  });

  it('counts a connection once that offers upgrades', async () => {
    const upgrade = `${REQUEST}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`;
    expect(await serves(STRANGER, upgrade, upgrade, upgrade, upgrade)).toBe(true);
    expect([await serves(STRANGER), await serves(STRANGER), await serves(STRANGER)]).toEqual([true, true, false]);
  });

  it('has no limit for a trusted proxy', async () => {
    for (let index = 0; index < 10; index += 1) expect(await serves(PROXY)).toBe(true);
  });
});
