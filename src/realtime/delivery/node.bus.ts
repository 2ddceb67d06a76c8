import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { databaseId } from '../../database/database-id.js';
import { UnitOfWork } from '../../database/unit-of-work.js';
import { RedisService } from '../../redis/redis.service.js';

/** A chat has moved. */
export interface ChatAdvanced {
  readonly chat_id: number;
  /** Where it is now, when what moved are messages. */
  readonly position?: { readonly seq: number; readonly changeSeq: number };
  /** Whom it concerns, if they are few. */
  readonly user_ids?: readonly number[];
}

/** Somebody types, or stopped. */
export interface TypingNotice {
  readonly chat_id: number;
  readonly user_id: number;
  readonly is_typing: boolean;
  readonly members_seq: number;
  /** All members, if they are few. */
  readonly member_ids: readonly number[] | null;
}

interface BusItems {
  advanced: ChatAdvanced;
  typing: TypingNotice;
  revoked: { readonly id: string; readonly userId: number };
}
type Kind = keyof BusItems;
type Items = { readonly [K in Kind]: BusItems[K][] };
type Packet = Items & { readonly from: string };

const nothing = (): Items => ({ advanced: [], typing: [], revoked: [] });

/** Packets that Redis hasn't taken yet; beyond it they are dropped. */
const MAX_UNDER_WAY = 100;

/**
 * Hints from node to node, through Redis: chats that have moved, who is typing, sessions that have ended. A hint may be
 * lost: what it tells of is in the database, where every node looks by itself, only later. (Typing is not, and is lost.)
 * Without `REDIS_URL` there are none.
 */
@Injectable()
export class NodeBus implements OnModuleInit {
  private readonly logger = new Logger(NodeBus.name);
  private readonly id = randomUUID();
  private readonly handlers = new Map<Kind, (items: never[]) => void>();
  private waiting = nothing();
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

  /** Says what to do with the items of this kind that other nodes send. */
  on<K extends Kind>(kind: K, handler: (items: BusItems[K][]) => void): void {
    this.handlers.set(kind, handler);
  }

  /** Tells the other nodes, together with what else is told in this turn of the event loop. */
  send<K extends Kind>(kind: K, ...items: BusItems[K][]): void {
    if (!this.redis.client) return;
    this.flushing ??= setImmediate(() => this.flush());
    this.waiting[kind].push(...items);
  }

  private flush(): void {
    const packet: Packet = { from: this.id, ...this.waiting };
    this.waiting = nothing();
    this.flushing = undefined;
    const { client } = this.redis;
    if (client?.status !== 'ready' || this.underWay >= MAX_UNDER_WAY) return;
    this.underWay += 1;
    client
      .publish(this.channel, JSON.stringify(packet))
      .catch(() => undefined) // RedisService logs that it is away.
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
      for (const [kind, handle] of this.handlers) handle(packet[kind] as never[]);
    } catch (err) {
      this.logger.error({ err, event: 'bus.packet_failed' });
    }
  }
}
