import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { databaseId } from '../../database/database-id.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { RedisService } from '../../redis/redis.service.js';

/** The notification that a chat has advanced: it has new messages or changes. */
export interface ChatAdvanced {
  readonly chat_id: number;
  /** The position of the chat after new messages; missing after any other change. */
  readonly position?: { readonly seq: number; readonly changeSeq: number };
  /** The users whom the change concerns, if they are few; if missing, every node has to check. */
  readonly user_ids?: readonly number[];
}

/** Somebody has begun or stopped typing. */
export interface TypingNotice {
  readonly chat_id: number;
  readonly user_id: number;
  readonly is_typing: boolean;
  /** The version of the member list that a node has to load, if `member_ids` is null. */
  readonly members_seq: number;
  /** All members, if they are few. */
  readonly member_ids: readonly number[] | null;
}

/** What one address has open on a node, and what it has sent there in the last `RealtimeOptions.address.windowMs`. */
export interface AddressLoad {
  readonly connections: number;
  /** Of the connections, those that have not joined the namespace. */
  readonly pending: number;
  readonly handshakes: number;
  readonly packets: number;
}

/** The kinds of notifications, and what one of each holds. */
interface BusItems {
  advanced: ChatAdvanced;
  typing: TypingNotice;
  /** A session that has ended. */
  revoked: { readonly id: string; readonly userId: number };
  /** The load of a busy address on the node `node`. */
  addressLoads: AddressLoad & { readonly node: string; readonly address: string };
}
type Kind = keyof BusItems;
type Items = { readonly [K in Kind]: BusItems[K][] };
/** One message on the Redis channel. `from` is the node that sent it. A node of another version may know fewer kinds. */
type Packet = Partial<Items> & { readonly from: string };

const noItems = (): Items => ({ advanced: [], typing: [], revoked: [], addressLoads: [] });

/** The most packets that Redis has not confirmed. Further packets are dropped. */
const MAX_UNDER_WAY = 100;

/**
 * Notifications from node to node, through Redis: chats that have advanced (`ChatFeed`), typing (`TypingService`),
 * sessions that have ended (`SocketRevocationService`), and busy addresses (`AddressRegistry`).
 *
 * States:
 * - *off*: there is no `REDIS_URL`, and `send` does nothing;
 * - *empty*: nothing is waiting;
 * - *collecting*: `send` was called in this turn of the event loop. At its end all items leave as one packet.
 *
 * A packet is dropped if Redis is unavailable then, or if 100 packets are unconfirmed.
 *
 * Invariants: nothing waits for Redis, and nothing piles up for it. A lost notification costs time only: every node
 * also polls the database, and finds there what was announced. Typing and loads are not stored, and come again. A node
 * ignores its own packets. Only nodes of the same database share a channel.
 */
@Injectable()
export class NodeBus implements OnModuleInit {
  private readonly logger = new Logger(NodeBus.name);
  private readonly id = randomUUID();
  private readonly handlers = new Map<Kind, (items: never[]) => void>();
  private waiting = noItems();
  private flushing: NodeJS.Immediate | undefined;
  private underWay = 0;
  private channel: string;

  constructor(
    private readonly redis: RedisService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async onModuleInit(): Promise<void> {
    const subscriber = this.redis.connect('events');
    if (!subscriber) return;
    this.channel = `windi:${await databaseId(this.unitOfWork.manager)}`;
    subscriber.on('ready', () => void this.subscribe(subscriber));
    subscriber.on('message', (_channel: string, text: string) => this.receive(text));
    if (subscriber.status === 'ready') await this.subscribe(subscriber);
  }

  /**
   * Sets the one handler of the items of this kind that other nodes send. Call it before the application has started.
   */
  on<K extends Kind>(kind: K, handler: (items: BusItems[K][]) => void): void {
    this.handlers.set(kind, handler);
  }

  /** Notifies the other nodes, in one packet with everything else that is sent in this turn of the event loop. */
  send<K extends Kind>(kind: K, ...items: BusItems[K][]): void {
    if (!this.redis.client) return;
    this.flushing ??= setImmediate(() => this.flush());
    this.waiting[kind].push(...items);
  }

  private flush(): void {
    const packet: Packet = { from: this.id, ...this.waiting };
    this.waiting = noItems();
    this.flushing = undefined;
    const { client } = this.redis;
    if (client?.status !== 'ready' || this.underWay >= MAX_UNDER_WAY) return;
    this.underWay += 1;
    client
      .publish(this.channel, JSON.stringify(packet))
      .catch(() => undefined) // RedisService logs that Redis is unavailable.
      .finally(() => (this.underWay -= 1));
  }

  private async subscribe(subscriber: Redis): Promise<void> {
    await subscriber
      .subscribe(this.channel)
      .catch((err: unknown) => this.logger.warn({ err, event: 'bus.not_subscribed' }));
  }

  private receive(text: string): void {
    try {
      const packet = JSON.parse(text) as Packet;
      if (packet.from === this.id) return;
      for (const [kind, handle] of this.handlers) handle((packet[kind] ?? []) as never[]);
    } catch (err) {
      this.logger.error({ err, event: 'bus.packet_failed' });
    }
  }
}
