import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { type TestingModuleBuilder } from '@nestjs/testing';
import { DataSource, type QueryRunner } from 'typeorm';
import { toAppError } from '../../src/common/errors/to-app-error.js';
import { UnitOfWork } from '../../src/database/unit-of-work.js';
import { createdBy, eventsOf } from '../../src/messages/append-events.js';
import type { AppendedBatch } from '../../src/messages/append.types.js';
import type { SentMessage } from '../../src/chats/dto/message.dto.js';
import type { NewsDto, SyncRequestDto } from '../../src/messages/dto/sync.dto.js';
import { LogWriter } from '../../src/messages/log.writer.js';
import { MessagesRepository } from '../../src/messages/messages.repository.js';
import { SyncService } from '../../src/messages/sync.service.js';
import { ChatChangePublisher } from '../../src/realtime/delivery/chat-change.publisher.js';
import { LogTailPoller } from '../../src/realtime/delivery/log-tail.poller.js';
import { RealtimePublisher } from '../../src/realtime/realtime.publisher.js';
import { pause } from './cluster.js';

// The bugs that the checker must find. Each one is a class that replaces one provider of the application.

type Sent = Awaited<ReturnType<LogWriter['append']>>;
type PublishArguments = Parameters<RealtimePublisher['publishMessages']>;

/** How long these bugs delay a commit or an event, in milliseconds. */
const DELAY_MS = 100;

/** Appends in a separate transaction, and leaves the commit to the subclass. */
@Injectable()
class ManualCommit extends MessagesRepository {
  @Inject(DataSource) private readonly source: DataSource;

  protected async appendWithin(
    messages: readonly SentMessage[],
  ): Promise<{ batch: AppendedBatch; runner: QueryRunner }> {
    const runner = this.source.createQueryRunner();
    try {
      await runner.startTransaction();
      const prepared = (_: string, text: string, values: unknown[]): Promise<unknown> => runner.query(text, values);
      const batch = await new MessagesRepository({ prepared } as UnitOfWork).appendAll(messages);
      return { batch, runner };
    } catch (error) {
      await runner.release();
      throw error;
    }
  }
}

class AckBeforeCommit extends ManualCommit {
  override async appendAll(messages: readonly SentMessage[]): Promise<AppendedBatch> {
    const { batch, runner } = await this.appendWithin(messages);
    void pause(DELAY_MS)
      .then(() => runner.commitTransaction())
      .catch(() => undefined)
      .finally(() => runner.release());
    return batch;
  }
}

class PublishBeforeCommit extends ManualCommit {
  @Inject(ModuleRef) private readonly modules: ModuleRef;

  override async appendAll(messages: readonly SentMessage[]): Promise<AppendedBatch> {
    const { batch, runner } = await this.appendWithin(messages);
    try {
      const publisher = this.modules.get(RealtimePublisher, { strict: false });
      for (const { messages: created, reads, chat } of eventsOf(createdBy(messages, batch), batch)) {
        publisher.publishMessages(created, reads, chat.memberIds ?? []);
      }
      await pause(DELAY_MS);
      await runner.commitTransaction();
      return batch;
    } finally {
      await runner.release();
    }
  }
}

/** Acks the whole batch, and stores the first half of it. */
class StoresHalfOfABatch extends MessagesRepository {
  override async appendAll(messages: readonly SentMessage[]): Promise<AppendedBatch> {
    await pause(DELAY_MS); // So that there are batches.
    const kept = messages.slice(0, Math.ceil(messages.length / 2));
    const batch = await super.appendAll(kept);
    const rest = messages.slice(kept.length).map(({ chat_id: chatId }, index) => {
      const like = batch.messages.find(({ chat_id }) => chat_id === chatId) ?? batch.messages[0]!;
      return { ...like, id: (like.id ?? 0) + 1_000 + index, seq: (like.seq ?? 0) + kept.length + index };
    });
    return { ...batch, messages: [...batch.messages, ...rest] };
  }
}

/** Stores every message it gets, also one with a known key. */
class NoDeduplication extends LogWriter {
  override async append(message: SentMessage): Promise<Sent> {
    const sent = await super.append(message);
    return sent.replayed && !this.remembers(message) ? this.storeAgain(message) : sent;
  }

  protected remembers: (message: SentMessage) => boolean = () => false;

  /** The key is unique in the database, so the second message is stored with another one. */
  private async storeAgain(message: SentMessage): Promise<Sent> {
    const sent = await super.append({ ...message, client_message_id: randomUUID() });
    return { ...sent, message: { ...sent.message, client_message_id: message.client_message_id } };
  }
}

class DeduplicatesWithinTheNode extends NoDeduplication {
  private readonly keys = new Set<string>();

  override async append(message: SentMessage): Promise<Sent> {
    const sent = await super.append(message);
    this.keys.add(message.client_message_id);
    return sent;
  }

  protected override remembers = ({ client_message_id }: SentMessage): boolean => this.keys.has(client_message_id);
}

class NewSeqOnReplay extends LogWriter {
  override async append(message: SentMessage): Promise<Sent> {
    const sent = await super.append(message);
    return sent.replayed ? { ...sent, message: { ...sent.message, seq: sent.message.seq + 1 } } : sent;
  }
}

/** Accepts messages of former members. */
class MembershipNotRechecked extends LogWriter {
  @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork;

  override async append(message: SentMessage): Promise<Sent> {
    try {
      return await super.append(message);
    } catch (error) {
      if (toAppError(error).code !== 'chat_not_found') throw error;
      const who = [message.chat_id, message.sender_id];
      const { manager } = this.unitOfWork;
      await manager.query('INSERT INTO chat_members (chat_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING', who);
      try {
        return await super.append(message);
      } finally {
        await manager.query('DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2', who);
      }
    }
  }
}

/** Never polls the log. */
class PollerOff extends LogTailPoller {
  override onApplicationBootstrap(): void {}
}

/** Treats ids as commit order: returns only messages with a higher id than all that the client holds. */
class SyncById extends SyncService {
  @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork;

  override async sync(userId: number, request: SyncRequestDto): Promise<NewsDto> {
    const news = await super.sync(userId, request);
    const held = Object.entries(request.cursors);
    const [row] = await this.unitOfWork.manager.query<[{ id: number }]>(
      `SELECT coalesce(max(m.id), 0) AS id FROM unnest($1::bigint[], $2::bigint[]) AS c(chat_id, seq)
       JOIN messages m ON m.chat_id = c.chat_id AND m.seq = c.seq`,
      [held.map(([chat]) => chat), held.map(([, { seq }]) => seq)],
    );
    const chats = news.chats.map((chat) => ({ ...chat, messages: chat.messages.filter(({ id }) => id > row.id) }));
    return { ...news, chats };
  }
}

/** Publishes to everybody who was ever in the chat. */
class PublishesToRemovedMembers extends RealtimePublisher {
  private readonly ever = new Map<number, Set<number>>();

  override publishMessages(...[messages, reads, userIds]: PublishArguments): void {
    const chat = messages[0]!.chat_id;
    const ever = new Set([...(this.ever.get(chat) ?? []), ...userIds]);
    this.ever.set(chat, ever);
    super.publishMessages(messages, reads, [...ever]);
  }
}

/** Delays each message by a random time. */
class PublishesInAnyOrder extends RealtimePublisher {
  override publishMessages(...args: PublishArguments): void {
    setTimeout(() => super.publishMessages(...args), Math.random() * 2 * DELAY_MS);
  }
}

class LosesEvents extends RealtimePublisher {
  override publishMessages(...args: PublishArguments): void {
    if (Math.random() > 0.05) super.publishMessages(...args);
  }
}

class LosesEdits extends ChatChangePublisher {
  override async publish(...[chat, change]: Parameters<ChatChangePublisher['publish']>): Promise<void> {
    if (!change.kind.startsWith('message_') || Math.random() > 0.05) await super.publish(chat, change);
  }
}

/** Returns new messages only, not the older ones that changed. */
class SyncWithoutEdits extends SyncService {
  override async sync(userId: number, request: SyncRequestDto): Promise<NewsDto> {
    const news = await super.sync(userId, request);
    const isNew = (chat: number, seq: number): boolean => seq > (request.cursors[chat]?.seq ?? 0);
    const chats = news.chats.map((chat) => ({
      ...chat,
      messages: chat.messages.filter(({ seq }) => isNew(chat.id, seq)),
    }));
    return { ...news, chats };
  }
}

/** Sets the cursor to a lower message after each read. */
class ReadCursorsGoBack extends MessagesRepository {
  @Inject(DataSource) private readonly source: DataSource;

  override async markRead(...read: Parameters<MessagesRepository['markRead']>) {
    const marked = await super.markRead(...read);
    const [chatId, readerId, seq] = read;
    await this.source.query('UPDATE chat_members SET last_read_seq = $3 WHERE chat_id = $1 AND user_id = $2', [
      chatId,
      readerId,
      Math.max(0, seq - 3),
    ]);
    return marked;
  }
}

const OVERRIDES = {
  'ack before commit': [MessagesRepository, AckBeforeCommit],
  'publish before commit': [MessagesRepository, PublishBeforeCommit],
  'stores half of a batch': [MessagesRepository, StoresHalfOfABatch],
  'no deduplication': [LogWriter, NoDeduplication],
  'deduplicates only within a node': [LogWriter, DeduplicatesWithinTheNode],
  'new seq on replay': [LogWriter, NewSeqOnReplay],
  'membership not rechecked': [LogWriter, MembershipNotRechecked],
  'poller off': [LogTailPoller, PollerOff],
  'sync by id': [SyncService, SyncById],
  'publishes to removed members': [RealtimePublisher, PublishesToRemovedMembers],
  'publishes in any order': [RealtimePublisher, PublishesInAnyOrder],
  'loses events': [RealtimePublisher, LosesEvents],
  'loses edits': [ChatChangePublisher, LosesEdits],
  'sync without edits': [SyncService, SyncWithoutEdits],
  'read cursors go back': [MessagesRepository, ReadCursorsGoBack],
} satisfies Record<string, readonly [Type, Type]>;

export type BugName = keyof typeof OVERRIDES;

/** Replaces the right provider by the bug. */
export function withBug(builder: TestingModuleBuilder, name: BugName): TestingModuleBuilder {
  const [right, wrong] = OVERRIDES[name] as readonly [Type, Type];
  return builder.overrideProvider(right).useClass(wrong);
}
