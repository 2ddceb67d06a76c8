import type { Chat } from '../../src/contract/chats.js';
import type { Ack } from '../../src/contract/events.js';
import type { Message } from '../../src/contract/messages.js';
import type { News } from '../../src/contract/sync.js';
import { refusal } from './caller.js';
import { MESSAGE_EVENTS, syncResultOf } from './client.js';
import { type History, type Operation, type Outcome, seen } from './history.js';
import type { SocketTap } from './socket-tap.js';

type Reply = Ack<any, { replayed?: boolean }>;

const OUTCOMES: Readonly<Record<string, (reply: Extract<Reply, { ok: true }>) => Outcome>> = {
  send: ({ data, replayed = false }) => ({ kind: 'send', message: seen(data as Message), replayed }),
  edit: ({ data }) => ({ kind: 'edit', message: seen(data as Message) }),
  delete: ({ data }) => ({ kind: 'delete', message: seen(data as Message) }),
  read: ({ data }) => ({ kind: 'read', seq: data.seq as number }),
  sync: ({ data }) => ({ kind: 'sync', ...syncResultOf(data as News) }),
};

/** Writes all that goes over the sockets of a device into the history, whatever the device makes of it. */
export class DeviceRecord implements SocketTap {
  private connection = 0;
  private isOpen = false;
  private isUp = false;
  /** The operations without an answer, by the ids of their acks. */
  private readonly open = new Map<number, { readonly op: number; readonly kind: string }>();
  /** The messages that the device was ever told of, by id. */
  private readonly messages = new Map<number, Message>();

  constructor(
    private readonly history: History,
    private readonly device: string,
    private readonly user: number,
  ) {}

  opened(): void {
    this.connection += 1;
    this.isOpen = true;
  }

  /** The device lacks nothing: it has synced. */
  up(): void {
    if (!this.isOpen || this.isUp) return;
    this.isUp = true;
    this.history.add({ type: 'up', ...this.identity });
  }

  closed(): void {
    for (const { op } of this.open.values()) this.history.add({ type: 'unknown', op, why: 'cut' });
    this.open.clear();
    if (this.isUp) this.history.add({ type: 'down', ...this.identity });
    this.isOpen = this.isUp = false;
  }

  event(name: string, payload: any): void {
    const message = MESSAGE_EVENTS.has(name) ? (payload as Message) : undefined;
    if (message) this.messages.set(message.id, message);
    else if (payload) this.learn(payload as Partial<Chat>);
    const chat = (payload?.chat_id ?? payload?.id) as number;
    this.history.add({ type: 'event', ...this.identity, name, chat, ...(message && { message: seen(message) }) });
  }

  command(id: number, name: string, payload: any): void {
    const what = this.operation(name, payload);
    if (what) this.open.set(id, { op: this.history.invoke(this.device, what), kind: what.kind });
  }

  ack(id: number, reply: Reply): void {
    const open = this.open.get(id);
    if (!open) return;
    this.open.delete(id);
    const { op, kind } = open;
    if (reply.ok) {
      this.learnAll(kind, reply.data);
      this.history.add({ type: 'ok', op, outcome: OUTCOMES[kind]!(reply) });
      return;
    }
    const result = refusal(reply.error.code);
    if ('refused' in result) this.history.add({ type: 'fail', op, why: result.refused });
    else this.history.add({ type: 'unknown', op, why: result.unknown });
  }

  private get identity(): { device: string; user: number; connection: number } {
    return { device: this.device, user: this.user, connection: this.connection };
  }

  private operation(name: string, payload: any): Operation | undefined {
    const { user, device } = this;
    if (name === 'sync') return { kind: 'sync', user, device };
    if (name === 'message:send') {
      const { chat_id: chat, client_message_id: key, text } = payload;
      return { kind: 'send', user, chat, key, text };
    }
    const message = this.messages.get(payload?.message_id as number);
    if (!message) return undefined;
    const { chat_id: chat, client_message_id: key, seq } = message;
    if (name === 'message:edit') return { kind: 'edit', user, chat, key, text: payload.text as string };
    if (name === 'message:delete') return { kind: 'delete', user, chat, key };
    return name === 'message:read' ? { kind: 'read', user, chat, seq } : undefined;
  }

  private learnAll(kind: string, data: any): void {
    if (kind === 'read') return;
    if (kind !== 'sync') this.messages.set(data.id as number, data as Message);
    else for (const chat of (data as News).chats) this.learn(chat);
  }

  private learn({ last_message, messages = [] }: Partial<Chat> & { messages?: readonly Message[] }): void {
    for (const message of [...messages, ...(last_message ? [last_message] : [])])
      this.messages.set(message.id, message);
  }
}
