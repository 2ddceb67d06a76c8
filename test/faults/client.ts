import { io, type Socket } from 'socket.io-client';
import type { ClientToServerEvents, ServerToClientEvents } from '../../src/contract/events.js';
import type { Message, ReadReceipt } from '../../src/contract/messages.js';
import type { News } from '../../src/contract/sync.js';
import { Replica } from '../support/replica.js';
import { ANSWER_MS, Caller, refusal } from './caller.js';
import { type Node, pause } from './cluster.js';
import { seen } from './history.js';

/** How long a hole in the live stream may be under way. */
const HOLE_MS = 500;
/** Of its own messages, how many it may still change. */
const OWN_KEPT = 10;
/** Events that carry a message. */
const OF_A_MESSAGE: ReadonlySet<string> = new Set(['message:created', 'message:updated', 'message:deleted']);

/**
 * A device that does what docs/realtime.md tells the authors of clients: it keeps one key for a message and sends it
 * again, by whatever way there is, until it knows; it syncs after each connect and after a hole. Everything it does and
 * hears goes into the history.
 */
export class ChatClient extends Caller {
  readonly replica = new Replica(this.person.id);
  private connections = 0;
  private stopped = false;
  private keys = 0;
  /** Its last messages that were acked and are not taken back. */
  private own: { readonly id: number; readonly chat: number; readonly key: string }[] = [];
  private syncing: Promise<void> | undefined;
  private hole: NodeJS.Timeout | undefined;

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
    const payload = { chat_id: chat, text: what.text, client_message_id: key };
    const sent = await this.untilKnown<Message>(
      what,
      giveUp,
      () =>
        over === 'socket'
          ? this.ask({ command: 'message:send', payload, route: ['POST', '/messages'], body: payload })
          : this.askRest('POST', '/messages', payload),
      (message, replayed) => ({ kind: 'send', message: seen(message), replayed }),
    );
    if (sent) this.own = [...this.own, { id: sent.id, chat, key }].slice(-OWN_KEPT);
  }

  /** Writes one of its last messages anew. */
  async edit(giveUp: () => boolean): Promise<void> {
    if (this.own.length === 0) return;
    const { id, chat, key } = this.random.pick(this.own);
    const text = `edit ${(this.keys += 1)} of ${key}`;
    await this.untilKnown<Message>(
      { kind: 'edit', user: this.person.id, chat, key, text },
      giveUp,
      () =>
        this.ask({
          command: 'message:edit',
          payload: { message_id: id, text },
          route: ['PATCH', `/messages/${id}`],
          body: { text },
        }),
      (message) => ({ kind: 'edit', message: seen(message) }),
    );
  }

  /** Takes the oldest of its last messages back. */
  async delete(giveUp: () => boolean): Promise<void> {
    const oldest = this.own.shift();
    if (!oldest) return;
    const { id, chat, key } = oldest;
    await this.untilKnown<Message>(
      { kind: 'delete', user: this.person.id, chat, key },
      giveUp,
      () => this.ask({ command: 'message:delete', payload: { message_id: id }, route: ['DELETE', `/messages/${id}`] }),
      (message) => ({ kind: 'delete', message: seen(message) }),
    );
  }

  /** Reads up to the newest message that it holds of the chat. */
  async read(chat: number, giveUp: () => boolean): Promise<void> {
    const held = this.replica.chats.get(chat);
    const newest = held?.messages.get(held.seq);
    if (!newest) return;
    await this.untilKnown<ReadReceipt>(
      { kind: 'read', user: this.person.id, chat, seq: newest.seq },
      giveUp,
      () =>
        this.ask({
          command: 'message:read',
          payload: { message_id: newest.id },
          route: ['POST', `/messages/${newest.id}/read`],
        }),
      ({ seq }) => ({ kind: 'read', seq }),
    );
  }

  /** Adds or removes somebody of a group; who was out already, or in, is so now. */
  async setMember(kind: 'add' | 'remove', chat: number, user: number): Promise<void> {
    await this.untilKnown(
      { kind, chat, user },
      () => false,
      async () => {
        const { status, body } = await this.rest(kind === 'add' ? 'PUT' : 'DELETE', `/groups/${chat}/members/${user}`);
        const isSo = status < 300 || (kind === 'remove' && status === 404);
        return isSo ? { data: undefined, replayed: false } : refusal(body.code as string);
      },
      () => ({ kind }),
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
    const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(node.front.origin, {
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
        const message = OF_A_MESSAGE.has(name) ? seen(payload as Message) : undefined;
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
    this.replica.apply(name, payload);
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
      .catchUp(async (payload) => {
        const news = await this.untilKnown<News>(
          what,
          () => this.stopped,
          () => this.ask({ command: 'sync', payload, route: ['POST', '/sync'], body: payload }),
          (data) => ({ kind: 'sync', ...told(data) }),
        );
        if (!news) throw new Error('stopped');
        return news;
      })
      .catch((error: unknown) => {
        if (!this.stopped) throw error;
      });
  }
}

const told = ({ chats, removed_chat_ids: removed }: News) => ({
  chats: chats.map((chat) => ({ id: chat.id, lastRead: chat.last_read_seq, messages: chat.messages.map(seen) })),
  removed,
});
