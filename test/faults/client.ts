import { io, type Socket } from 'socket.io-client';
import type { ClientToServerEvents, ServerToClientEvents } from '../../src/contract/events.js';
import type { Message, ReadReceipt } from '../../src/contract/messages.js';
import type { News } from '../../src/contract/sync.js';
import { Replica } from '../support/replica.js';
import { ANSWER_MS, Caller, refusal } from './caller.js';
import { type Node, pause } from './cluster.js';
import { seen } from './history.js';

/** How long the client waits after a gap before it syncs, so that one sync does for several gaps. */
const GAP_MS = 500;
/** How many of its latest messages it may still edit or delete. */
const MAX_OWN = 10;
/** Events whose payload is a message. */
export const MESSAGE_EVENTS: ReadonlySet<string> = new Set(['message:created', 'message:updated', 'message:deleted']);

/**
 * A device that follows docs/realtime.md. It sends a message again with the same key, over the socket or REST, until the
 * outcome is known. It syncs after each connect and after a gap. The history records everything it does and receives.
 */
export class ChatClient extends Caller {
  readonly replica = new Replica(this.person.id, () => this.syncSoon());
  private connections = 0;
  private stopped = false;
  private keys = 0;
  /** Its latest acked messages that are not deleted. */
  private own: { readonly id: number; readonly chat: number; readonly key: string }[] = [];
  private syncing: Promise<void> | undefined;
  private gapTimer: NodeJS.Timeout | undefined;

  /** Connects to a random node, again after each disconnect, until `stop`. */
  async run(): Promise<void> {
    while (!this.stopped) {
      await this.connectOnce(this.random.pick(this.context.nodes)).catch(() => undefined);
      await pause(this.random.between(100, 400));
    }
  }

  stop(): void {
    this.stopped = true;
    this.socket?.disconnect();
  }

  /** Sends until the outcome is known, or `giveUp` says that the run is over. `over` is the preferred transport. */
  async send(chat: number, over: 'socket' | 'rest', giveUp: () => boolean): Promise<void> {
    const key = `${this.name}-${(this.keys += 1)}`;
    const what = { kind: 'send', user: this.person.id, chat, key, text: `text ${key}` } as const;
    const payload = { chat_id: chat, text: what.text, client_message_id: key };
    const sent = await this.retryUntilKnown<Message>(
      what,
      giveUp,
      () =>
        over === 'socket'
          ? this.ask({ command: 'message:send', payload, route: ['POST', '/messages'], body: payload })
          : this.askRest('POST', '/messages', payload),
      (message, replayed) => ({ kind: 'send', message: seen(message), replayed }),
    );
    if (sent) this.own = [...this.own, { id: sent.id, chat, key }].slice(-MAX_OWN);
  }

  /** Edits one of its latest messages. */
  async edit(giveUp: () => boolean): Promise<void> {
    if (this.own.length === 0) return;
    const { id, chat, key } = this.random.pick(this.own);
    const text = `edit ${(this.keys += 1)} of ${key}`;
    await this.retryUntilKnown<Message>(
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

  /** Deletes the oldest of its latest messages. */
  async delete(giveUp: () => boolean): Promise<void> {
    const oldest = this.own.shift();
    if (!oldest) return;
    const { id, chat, key } = oldest;
    await this.retryUntilKnown<Message>(
      { kind: 'delete', user: this.person.id, chat, key },
      giveUp,
      () => this.ask({ command: 'message:delete', payload: { message_id: id }, route: ['DELETE', `/messages/${id}`] }),
      (message) => ({ kind: 'delete', message: seen(message) }),
    );
  }

  /** Reads up to the newest message of the chat that it has. */
  async read(chat: number, giveUp: () => boolean): Promise<void> {
    const held = this.replica.chats.get(chat);
    const newest = held?.messages.get(held.seq);
    if (!newest) return;
    await this.retryUntilKnown<ReadReceipt>(
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

  /** Adds a user to a group or removes one. Succeeds when that is the case already. */
  async setMember(kind: 'add' | 'remove', chat: number, user: number): Promise<void> {
    await this.retryUntilKnown(
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

  /** Syncs, and reads the history of each chat back to its beginning: then it has all messages. */
  async readEverything(): Promise<void> {
    await this.sync();
    for (const [chat, held] of this.replica.chats) {
      while (held.from > 1) {
        const answer = await this.rest('GET', `/messages/history/${chat}?before_seq=${held.from}&limit=100`);
        // A client that doesn't sync may not know that it has been removed.
        if (answer.status === 404 && !this.context.resyncs) break;
        if (answer.status !== 200) throw new Error(`${this.name} can't read chat ${chat}: ${answer.status}`);
        const page = answer.body as Message[];
        if (page.length === 0) break;
        for (const message of page) held.messages.set(message.seq, message);
        held.from = page[0]!.seq;
      }
      const messages = [...held.messages.values()].sort((one, other) => one.seq - other.seq).map(seen);
      this.context.history.add({ type: 'holds', device: this.name, user: this.person.id, chat, messages });
    }
  }

  /** Runs one connection, from the handshake to the disconnect. */
  private async connectOnce(node: Node): Promise<void> {
    const { history } = this.context;
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
        const message = MESSAGE_EVENTS.has(name) ? seen(payload as Message) : undefined;
        const chat = (payload.chat_id ?? payload.id) as number;
        history.add({ type: 'event', ...identity, name, chat, message });
        this.replica.apply(name, payload);
      });
      this.socket = socket;
      await Promise.race([this.syncAfresh(), ended]);
      if (socket.connected) history.add({ type: 'up', ...identity });
      await ended;
      history.add({ type: 'down', ...identity });
    } finally {
      socket.disconnect();
      clearTimeout(this.gapTimer);
      this.gapTimer = undefined;
    }
  }

  private syncSoon(): void {
    if (!this.context.resyncs || this.gapTimer) return;
    this.gapTimer = setTimeout(() => {
      this.gapTimer = undefined;
      this.syncAfresh().catch(() => this.socket?.disconnect());
    }, GAP_MS);
  }

  /** Syncs after the sync under way, which may have been answered before the gap or this connection existed. */
  private syncAfresh(): Promise<void> {
    return this.syncing?.then(() => this.sync()) ?? this.sync();
  }

  /** Runs one sync at a time. A caller during a sync shares it. */
  private sync(): Promise<void> {
    if (!this.context.resyncs && this.connections > 1) return Promise.resolve();
    this.syncing ??= this.catchUp().finally(() => (this.syncing = undefined));
    return this.syncing;
  }

  private async catchUp(): Promise<void> {
    const what = { kind: 'sync', user: this.person.id, device: this.name } as const;
    await this.replica
      .catchUp(async (payload) => {
        const news = await this.retryUntilKnown<News>(
          what,
          () => this.stopped,
          () => this.ask({ command: 'sync', payload, route: ['POST', '/sync'], body: payload }),
          (data) => ({ kind: 'sync', ...syncResultOf(data) }),
        );
        if (!news) throw new Error('stopped');
        return news;
      })
      .catch((error: unknown) => {
        if (!this.stopped) throw error;
      });
  }
}

/** What the history keeps of the answer to a sync. */
export const syncResultOf = ({ chats, removed_chat_ids: removed }: News) => ({
  chats: chats.map((chat) => ({ id: chat.id, lastRead: chat.last_read_seq, messages: chat.messages.map(seen) })),
  removed,
});
