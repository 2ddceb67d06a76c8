import { io, type Socket } from 'socket.io-client';
import type {
  Ack,
  ClientToServerEvents,
  Message,
  News,
  ReadReceipt,
  ServerToClientEvents,
} from '../../src/realtime/contract.js';
import { request } from '../support/http.js';
import { Replica } from '../support/replica.js';
import { type Node, pause } from './cluster.js';
import { type History, type Outcome, seen } from './history.js';
import type { Random } from './random.js';

/** No ack within so many milliseconds counts as none. */
const ANSWER_MS = 4_000;
/** How long a hole in the live stream may be under way. */
const HOLE_MS = 500;
const LONGEST_PAUSE_MS = 1_000;

/** Answers after which nobody knows, or nothing was done yet: the same again. */
const TRY_AGAIN = new Set(['unavailable', 'overloaded', 'rate_limited']);

export interface Person {
  readonly id: number;
  readonly token: string;
}

/** What the clients of a run have in common. */
export interface World {
  readonly history: History;
  readonly nodes: readonly Node[];
  /** A client that does not is one of the bugs the checker has to find. */
  readonly resyncs: boolean;
}

type Result = { readonly outcome: Outcome } | { readonly refused: string } | { readonly unknown: string };

/**
 * A device that does what docs/realtime.md tells the authors of clients: it keeps one key for a message and sends it
 * again, by whatever way there is, until it knows; it syncs after each connect and after a hole. Everything it does and
 * hears goes into the history.
 */
export class ChatClient {
  readonly replica: Replica;
  private socket: Socket<ServerToClientEvents, ClientToServerEvents> | undefined;
  private connections = 0;
  private stopped = false;
  private keys = 0;
  private syncing: Promise<void> | undefined;
  private hole: NodeJS.Timeout | undefined;

  constructor(
    readonly name: string,
    readonly person: Person,
    private readonly world: World,
    private readonly random: Random,
  ) {
    this.replica = new Replica(person.id);
  }

  /** Connects, again and again, to any of the nodes, until `stop`. */
  async run(): Promise<void> {
    while (!this.stopped) {
      await this.live(this.random.pick(this.world.nodes)).catch(() => undefined);
      await pause(this.random.between(100, 400));
    }
  }

  stop(): void {
    this.stopped = true;
    this.socket?.disconnect();
  }

  /** Sends until it knows, or `giveUp` says that the run is over. `over` is the transport it prefers. */
  async send(chat: number, over: 'socket' | 'rest', giveUp: () => boolean): Promise<void> {
    const key = `${this.name}-${(this.keys += 1)}`;
    const what = { kind: 'send', user: this.person.id, chat, key, text: `text ${key}` } as const;
    const body = { chat_id: chat, text: what.text, client_message_id: key };
    await this.untilKnown(what, giveUp, async () => {
      const sent = (data: Message, replayed: boolean): Result => ({
        outcome: { kind: 'send', message: seen(data), replayed },
      });
      if (over === 'socket' && this.socket?.connected) {
        const ack = await this.command('message:send', body);
        return ack.ok ? sent(ack.data, ack.replayed) : refusal(ack.error.code);
      }
      const answer = await this.rest('POST', '/messages', body);
      if (answer.status >= 300) return refusal(answer.body.code as string);
      return sent(answer.body as Message, answer.headers.get('idempotent-replayed') === 'true');
    });
  }

  /** Reads up to the newest message that it holds of the chat. */
  async read(chat: number, giveUp: () => boolean): Promise<void> {
    const held = this.replica.chats.get(chat);
    const newest = held?.messages.get(held.seq);
    if (!newest) return;
    const what = { kind: 'read', user: this.person.id, chat, seq: newest.seq } as const;
    await this.untilKnown(what, giveUp, async () => {
      const done = (receipt: ReadReceipt): Result => ({ outcome: { kind: 'read', seq: receipt.seq } });
      if (this.socket?.connected) {
        const ack = await this.command('message:read', { message_id: newest.id });
        return ack.ok ? done(ack.data) : refusal(ack.error.code);
      }
      const answer = await this.rest('POST', `/messages/${newest.id}/read`);
      return answer.status < 300 ? done(answer.body as ReadReceipt) : refusal(answer.body.code as string);
    });
  }

  /** Adds or removes somebody of a group; who was out already, or in, is so now. */
  async setMember(kind: 'add' | 'remove', chat: number, user: number): Promise<void> {
    await this.untilKnown(
      { kind, chat, user },
      () => false,
      async () => {
        const answer = await this.rest(kind === 'add' ? 'PUT' : 'DELETE', `/groups/${chat}/members/${user}`);
        const isSo = answer.status < 300 || (kind === 'remove' && answer.status === 404);
        return isSo ? { outcome: { kind } } : refusal(answer.body.code as string);
      },
    );
  }

  /** Syncs until nothing is left, and reads each chat back to its beginning: then it holds all there is. */
  async complete(): Promise<void> {
    await this.sync();
    for (const [chat, held] of this.replica.chats) {
      while (held.from > 1) {
        const answer = await this.rest('GET', `/messages/history/${chat}?before_seq=${held.from}&limit=100`);
        if (answer.status !== 200) throw new Error(`${this.name} can't read chat ${chat}: ${answer.status}`);
        const page = answer.body as Message[];
        if (page.length === 0) break;
        for (const message of page) held.messages.set(message.seq, message);
        held.from = page[0]!.seq;
      }
      const messages = [...held.messages.values()].sort((one, other) => one.seq - other.seq).map(seen);
      this.world.history.add({ type: 'holds', device: this.name, user: this.person.id, chat, messages });
    }
  }

  /** One connection, from the handshake to its end. */
  private async live(node: Node): Promise<void> {
    const { history } = this.world;
    const connection = (this.connections += 1);
    const identity = { device: this.name, user: this.person.id, connection };
    const socket: typeof this.socket = io(node.front.origin, {
      auth: { token: this.person.token },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      timeout: ANSWER_MS,
    });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).once('connect_error', reject);
      });
      if (this.stopped) return;
      const ended = new Promise<void>((resolve) => socket.once('disconnect', () => resolve()));
      socket.onAny((name: string, payload: any) => {
        const message = name === 'message:created' ? seen(payload as Message) : undefined;
        const chat = (payload.chat_id ?? payload.id) as number;
        history.add({ type: 'event', ...identity, name, chat, message });
        this.hear(name, payload);
      });
      this.socket = socket;
      // One that is under way may have been answered before this connection was there.
      await Promise.race([this.syncing?.then(() => this.sync()) ?? this.sync(), ended]);
      if (socket.connected) history.add({ type: 'up', ...identity });
      await ended;
      history.add({ type: 'down', ...identity });
    } finally {
      socket.disconnect();
      clearTimeout(this.hole);
      this.hole = undefined;
    }
  }

  private hear(name: string, payload: any): void {
    const known = this.replica.chats.get(payload.chat_id as number);
    const isHole = name === 'message:created' && payload.seq > (known?.seq ?? 0) + 1;
    this.replica.hear(name, payload);
    if (!isHole || !this.world.resyncs || this.hole) return;
    this.hole = setTimeout(() => {
      this.hole = undefined;
      this.sync().catch(() => this.socket?.disconnect());
    }, HOLE_MS);
  }

  /** One at a time; who asks while one is under way gets that one, and its hole is seen again by the next message. */
  private sync(): Promise<void> {
    if (!this.world.resyncs && this.connections > 1) return Promise.resolve();
    this.syncing ??= this.catchUp().finally(() => (this.syncing = undefined));
    return this.syncing;
  }

  private async catchUp(): Promise<void> {
    const what = { kind: 'sync', user: this.person.id, device: this.name } as const;
    await this.replica
      .catchUp(async (cursors) => {
        let news: News | undefined;
        await this.untilKnown(
          what,
          () => this.stopped,
          async () => {
            const answer = await this.syncOnce(cursors);
            if (!('news' in answer)) return answer;
            news = answer.news;
            return { outcome: { kind: 'sync', ...told(news) } };
          },
        );
        if (!news) throw new Error('stopped');
        return news;
      })
      .catch((error: unknown) => {
        if (!this.stopped) throw error;
      });
  }

  private async syncOnce(cursors: object): Promise<{ news: News } | { unknown: string } | { refused: string }> {
    if (this.socket?.connected) {
      const ack = await this.command('sync', cursors as never);
      return ack.ok ? { news: ack.data } : refusal(ack.error.code);
    }
    const answer = await this.rest('POST', '/sync', cursors);
    return answer.status < 300 ? { news: answer.body as News } : refusal(answer.body.code as string);
  }

  /** Tries until there is an answer that says what has happened, a little later each time. Each try is an operation. */
  private async untilKnown(
    what: Parameters<History['invoke']>[1],
    giveUp: () => boolean,
    attempt: () => Promise<Result>,
  ): Promise<void> {
    const { history } = this.world;
    for (let wait = 50; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
      const op = history.invoke(this.name, what);
      const result = await attempt().catch((error: unknown): Result => ({ unknown: (error as Error).message }));
      if ('outcome' in result) {
        history.add({ type: 'ok', op, outcome: result.outcome });
        return;
      }
      if ('refused' in result) {
        history.add({ type: 'fail', op, why: result.refused });
        return;
      }
      history.add({ type: 'unknown', op, why: result.unknown });
      if (giveUp()) return;
      await pause(wait * (0.5 + this.random.next()));
    }
  }

  /** A connection that doesn't answer is given up. */
  private async command<C extends 'message:send' | 'message:read' | 'sync'>(
    name: C,
    payload: Parameters<ClientToServerEvents[C]>[0],
  ): Promise<Parameters<Parameters<ClientToServerEvents[C]>[1]>[0]> {
    const socket = this.socket!;
    try {
      return (await (socket as Socket).timeout(ANSWER_MS).emitWithAck(name, payload)) as Ack<any>;
    } catch (error) {
      socket.disconnect();
      throw error;
    }
  }

  private rest(method: string, path: string, body?: unknown) {
    const { origin } = this.random.pick(this.world.nodes).front;
    const signal = AbortSignal.timeout(ANSWER_MS);
    return request(origin, method, path, { token: this.person.token, body, signal });
  }
}

function refusal(code: string | undefined): Result & ({ refused: string } | { unknown: string }) {
  return code === undefined || code === 'internal_error' || TRY_AGAIN.has(code)
    ? { unknown: code ?? 'no problem document' }
    : { refused: code };
}

const told = ({ chats, removed_chat_ids: removed }: News) => ({
  chats: chats.map((chat) => ({ id: chat.id, lastRead: chat.last_read_seq, messages: chat.messages.map(seen) })),
  removed,
});
