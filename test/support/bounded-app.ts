import { request } from 'node:http';
import type { RealtimeOptions } from '../../src/realtime/realtime.options.js';
import { RawSocket } from './raw-clients.js';
import { TestApp, type TestUser } from './test-app.js';

// What the specs of the bounds of connections and addresses share.

export const MAX_PACKETS = 50;
/** Each test that uses up a bound of an address has an address of its own; a window lasts longer than the tests. */
export const OPTIONS: Partial<RealtimeOptions> = {
  // No test waits for it but those of the node that has little patience.
  joinTimeoutMs: 60_000,
  maxPackets: MAX_PACKETS,
  address: { connections: 40, pending: 5, handshakes: 60, packets: 200, windowMs: 120_000, refusalDelayMs: 10 },
};
export const PONG = '3';
export const BAD_CONNECT = '40{"token":"forged"}';
export const POLLING = '/socket.io/?EIO=4&transport=polling';

let network = 0;
/** An address of the loopback interface that no other test of the file uses. */
export const nextAddress = (): string => `127.0.1.${(network += 1)}`;

/** An application with low bounds, and one of its users. */
export class BoundedApp {
  private constructor(
    readonly app: TestApp,
    readonly ada: TestUser,
  ) {}

  static async start(): Promise<BoundedApp> {
    const app = await TestApp.start({ rateLimit: true }, OPTIONS);
    return new BoundedApp(app, await app.user());
  }

  close(): Promise<void> {
    return this.app.close();
  }

  /** A socket that has joined, from an address of its own. */
  joined(user = this.ada, localAddress = nextAddress()): Promise<RawSocket> {
    return RawSocket.open(this.app.url, user.token, { localAddress });
  }

  /** Checks that a device of somebody else, at another address, is still served. */
  async expectBystanderServed(): Promise<void> {
    const bob = await this.app.user();
    const device = await bob.device();
    const chat = await bob.group();
    const { id } = await bob.say(chat);
    await device.next('message:created', (message) => message.id === id);
    device.close();
  }

  /** The polling handshake from an address, or with a header. */
  handshake(options: { localAddress?: string; headers?: Record<string, string> }) {
    return new Promise<{ status: number; retryAfter: string | undefined; body: string }>((resolve, reject) => {
      const sent = request(this.app.url + POLLING, { agent: false, ...options }, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += String(chunk)));
        response.on('end', () =>
          resolve({ status: response.statusCode!, retryAfter: response.headers['retry-after'], body }),
        );
      });
      sent.on('error', reject).end();
    });
  }
}
