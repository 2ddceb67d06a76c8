import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ChatLaneScheduler } from '../chats/chat-lane.scheduler.js';
import { MessageDto, type SentMessage } from '../chats/dto/message.dto.js';
import { AppError } from '../common/errors/app-error.js';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { isDatabaseUnavailable } from '../common/errors/to-app-error.js';
import type { AppendedBatch, AppendedRow } from './append.types.js';
import { createdBy, eventsOf } from './append-events.js';
import { MessagesRepository } from './messages.repository.js';

interface Entry {
  readonly message: SentMessage;
  readonly resolve: (result: { message: MessageDto; replayed: boolean }) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The writer of the message log: group commit. What has come while a flush was under way is stored by one call and one
 * commit; then the events leave in `seq` order, and then each sender has the answer.
 */
@Injectable()
export class LogWriter implements OnModuleInit {
  constructor(
    private readonly lanes: ChatLaneScheduler,
    private readonly messages: MessagesRepository,
    private readonly events: DomainEventBus,
  ) {}

  onModuleInit(): void {
    this.lanes.onFlush<Entry>((entries) => this.flush(entries));
  }

  /**
   * Appends a message, or finds the one that the same sending has already made.
   * @throws AppError `chat_not_found`, `blocked`, `client_message_id_conflict`, `validation_failed` for a reply to another chat's
   * message, `overloaded`, and whatever says that the database is away: then nobody knows, and a retry with the key finds out
   */
  append(message: SentMessage): Promise<{ message: MessageDto; replayed: boolean }> {
    return new Promise((resolve, reject) => {
      this.lanes.add(message.chat_id, { message, resolve, reject } satisfies Entry);
    });
  }

  /** One call stores a key once: entries that repeat one go in a second call, which finds it stored. */
  private async flush(entries: Entry[]): Promise<void> {
    const keys = new Set<string>();
    const isFirst = ({ message }: Entry): boolean => {
      const { size } = keys;
      return keys.add(`${message.chat_id} ${message.client_message_id}`).size > size;
    };
    const firsts: Entry[] = [];
    const repeats: Entry[] = [];
    for (const entry of entries) (isFirst(entry) ? firsts : repeats).push(entry);
    await this.store(firsts);
    if (repeats.length > 0) await this.store(repeats);
  }

  /** A batch that breaks on a row, not on the connection, is done row by row: a bad row fails alone. */
  private async store(entries: Entry[]): Promise<void> {
    const sent = entries.map(({ message }) => message);
    let batch: AppendedBatch;
    try {
      batch = await this.messages.appendAll(sent);
    } catch (error) {
      if (isDatabaseUnavailable(error) || entries.length === 1) for (const { reject } of entries) reject(error);
      else for (const entry of entries) await this.store([entry]);
      return;
    }
    const created = createdBy(sent, batch);
    for (const event of eventsOf(created, batch)) void this.events.publish(event);
    await this.answer(entries, created, batch);
  }

  private async answer(entries: Entry[], created: (MessageDto | undefined)[], batch: AppendedBatch): Promise<void> {
    const replays: Entry[] = [];
    const seqs: number[] = [];
    for (const [index, entry] of entries.entries()) {
      const message = created[index];
      const { outcome, seq } = batch.messages[index]!;
      if (message) {
        entry.resolve({ message, replayed: false });
      } else if (outcome === 'replayed') {
        replays.push(entry);
        seqs.push(seq!);
      } else {
        entry.reject(refusalOf(outcome));
      }
    }
    if (replays.length > 0) await this.answerReplays(replays, seqs);
  }

  /** With the originals as they are now. */
  private async answerReplays(replays: Entry[], seqs: number[]): Promise<void> {
    try {
      const rows = await this.messages.at(
        replays.map(({ message: { chat_id } }, index) => ({ chatId: chat_id, seq: seqs[index]! })),
      );
      const originals = new Map(
        rows.map((row) => [`${row.chat_id} ${row.seq}`, MessageDto.of(row, row.read_by_all_seq)]),
      );
      for (const [index, { message, resolve }] of replays.entries()) {
        resolve({ message: originals.get(`${message.chat_id} ${seqs[index]}`)!, replayed: true });
      }
    } catch (error) {
      for (const { reject } of replays) reject(error);
    }
  }
}

function refusalOf(outcome: AppendedRow['outcome']): AppError {
  switch (outcome) {
    case 'not_a_member':
      return new AppError('chat_not_found');
    case 'blocked':
      return new AppError('blocked');
    case 'conflict':
      return new AppError('client_message_id_conflict');
    case 'no_such_reply':
      return AppError.invalidField('reply_to_id', 'must be a message of the same chat');
    case 'created':
    case 'replayed':
      throw new Error('not a refusal');
  }
}
