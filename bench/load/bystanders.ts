import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { atRate } from './at-rate.js';
import { RestClient } from './rest-client.js';

/** A user who is there before the flood, with a chat and an address of their own. */
export interface BystanderUser {
  readonly token: string;
  readonly chatId: number;
  readonly address: string;
}

/** What bystanders do in turns. */
export const ACTS = ['new socket', 'new plain WebSocket', 'send', 'GET /chats'] as const;
export type Act = (typeof ACTS)[number];

const ACTS_PER_SECOND = 250;
/** What takes longer counts as refused. */
const TIMEOUT_MS = 5_000;

/** The times of each act in milliseconds, and why others were refused. */
export interface Samples {
  readonly times: Readonly<Record<Act, readonly number[]>>;
  readonly refusals: readonly string[];
}

/**
 * Ordinary users, at other addresses than a flood's. They begin something 250 times a second, however long it takes:
 * one opens a Socket.IO socket, one a plain WebSocket, one sends a message on an open socket, one asks for their chats.
 * There are enough of them for each to stay far within the limits of a user and of an address.
 */
export class Bystanders {
  private sent = 0;
  private readonly sockets: WebSocket[] = [];
  private readonly clients: RestClient[];

  private constructor(
    private readonly port: number,
    private readonly users: readonly BystanderUser[],
  ) {
    this.clients = users.map(({ token, address }) => new RestClient(port, token, address));
  }

  /** Opens the sockets on which messages are sent. */
  static async connect(port: number, users: readonly BystanderUser[]): Promise<Bystanders> {
    const bystanders = new Bystanders(port, users);
    for (const user of users) bystanders.sockets.push(await bystanders.join(user));
    return bystanders;
  }

  /** Takes so many samples of each act. */
  async sample(count: number): Promise<Samples> {
    const times: Record<Act, number[]> = { 'new socket': [], 'new plain WebSocket': [], send: [], 'GET /chats': [] };
    const refusals: string[] = [];
    const one = async (act: Act, user: number): Promise<void> => {
      const start = performance.now();
      try {
        await withTimeout(this.acts[act](user));
        times[act].push(performance.now() - start);
      } catch (error) {
        refusals.push(`${act}: ${(error as Error).message}`);
      }
    };
    const running: Promise<void>[] = [];
    await new Promise<void>((resolve) => {
      const end = atRate(ACTS_PER_SECOND, () => {
        const index = running.length;
        if (index === count * ACTS.length) return;
        running.push(one(ACTS[index % ACTS.length]!, Math.floor(index / ACTS.length) % this.users.length));
        if (running.length < count * ACTS.length) return;
        end();
        resolve();
      });
    });
    await Promise.all(running);
    return { times, refusals };
  }

  close(): void {
    for (const socket of this.sockets) socket.terminate();
    for (const client of this.clients) client.close();
  }

  private readonly acts: Record<Act, (user: number) => Promise<void>> = {
    'new socket': async (user) => (await this.join(this.users[user]!)).terminate(),
    'new plain WebSocket': (user) => this.openPlain(this.users[user]!),
    send: (user) => this.send(this.sockets[user]!, this.users[user]!),
    'GET /chats': (user) => this.askForChats(this.clients[user]!),
  };

  private async join({ token, address }: BystanderUser): Promise<WebSocket> {
    const socket = await opened(`ws://127.0.0.1:${this.port}/socket.io/?EIO=4&transport=websocket`, address);
    socket.on('message', (data) => textOf(data) === '2' && socket.send('3'));
    socket.send(`40${JSON.stringify({ token })}`);
    const answer = await received(socket, /^4[04]/);
    if (!answer.startsWith('40')) throw new Error(answer);
    return socket;
  }

  private async openPlain({ token, address }: BystanderUser): Promise<void> {
    const socket = await opened(`ws://127.0.0.1:${this.port}/ws/chat?token=${token}`, address);
    socket.send('{"type":"ping"}');
    await received(socket, /^{"type":"pong"}$/);
    socket.terminate();
  }

  private async send(socket: WebSocket, { chatId }: BystanderUser): Promise<void> {
    const id = (this.sent += 1);
    const payload = { chat_id: chatId, text: 'Hello!', client_message_id: randomUUID() };
    socket.send(`42${id}${JSON.stringify(['message:send', payload])}`);
    const ack = await received(socket, new RegExp(`^43${id}\\[`));
    if (!ack.includes('"ok":true')) throw new Error(ack);
  }

  private async askForChats(client: RestClient): Promise<void> {
    const { status } = await client.get('/chats');
    if (status !== 200) throw new Error(String(status));
  }
}

async function opened(url: string, localAddress: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false, localAddress }).setMaxListeners(0);
  await once(socket, 'open');
  return socket.on('error', () => undefined);
}

/** Resolves with the first frame that fits. Rejects when the socket closes. */
function received(socket: WebSocket, expected: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const stop = (): void => void socket.off('message', check).off('close', fail);
    const check = (data: unknown): void => {
      const text = textOf(data);
      if (!expected.test(text)) return;
      stop();
      resolve(text);
    };
    const fail = (): void => {
      stop();
      reject(new Error('closed'));
    };
    socket.on('message', check).on('close', fail);
  });
}

const textOf = (data: unknown): string => (data as Buffer).toString();

function withTimeout<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), TIMEOUT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
