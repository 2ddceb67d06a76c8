import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ChatLaneScheduler } from '../chats/chat-lane.scheduler.js';
import { MessageDto, type SentMessage } from '../chats/dto/message.dto.js';
import { AppError } from '../common/errors/app-error.js';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { isDatabaseUnavailable } from '../common/errors/to-app-error.js';
import type { AppendedBatch, AppendedRow } from './append.types.js';
import { createdBy, eventsOf } from './append-events.js';
import { MessagesRepository } from './messages.repository.js';

/** A message that waits for its result, and the two functions of the sender's promise. */
interface Entry {
  readonly message: SentMessage;
  readonly resolve: (result: { message: MessageDto; replayed: boolean }) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The writer of the message log, by group commit: messages that arrive while a flush is running are stored together, by
 * one call and one commit. `MessagesService.send` calls `append`; `ChatLaneScheduler` decides when to flush.
 *
 * States of an entry:
 * - *waiting*: in the lane of its chat;
 * - *in a flush*: with up to 255 others, of any chats that no other flush or task is writing to;
 * - *settled*: its sender has a message, or an error.
 *
 * Transitions:
 * - waiting → in a flush: the scheduler calls `flush`;
 * - in a flush → settled: created (its event is published first), replayed (answered with the stored message), or
 *   refused;
 * - in a flush → settled with an error, and the whole batch with it: the database is unavailable. The message may be
 *   stored;
 * - in a flush → stored again alone: the batch failed on a row, so each entry gets its own call.
 *
 * Invariants: each entry is settled once. No key is twice in one call of `append_messages`. A chat is in one flush at a
 * time, so its events are published in `seq` order. Events are published after the commit, and before the senders have
 * their answers.
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
   * Appends a message, or returns the message that was stored before with the same key.
   * @throws AppError `chat_not_found`, `blocked`, `client_message_id_conflict`, `overloaded`, `validation_failed` for a
   * reply to another chat's message
   * @throws the error of an unavailable database: the message may be stored or not. A retry with the same key is safe.
   */
  append(message: SentMessage): Promise<{ message: MessageDto; replayed: boolean }> {
    return new Promise((resolve, reject) => {
      this.lanes.add(message.chat_id, { message, resolve, reject } satisfies Entry);
    });
  }

  /**
   * Stores the entries. `append_messages` takes each key once, so repeats go in a second call, which finds the key
   * stored.
   */
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

  /**
   * Stores a batch. If it fails on a row, not on the connection, it is stored row by row, so that a bad row fails
   * alone.
   */
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

  /** Settles each entry by the outcome of its row. */
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

  /** Resolves replays with the current state of the stored messages. */
  private async answerReplays(replays: Entry[], seqs: number[]): Promise<void> {
    try {
      const rows = await this.messages.at(
        replays.map(({ message: { chat_id } }, index) => ({ chatId: chat_id, seq: seqs[index]! })),
      );
      const originals = new Map(
        rows.map((row) => [`${row.chat_id} ${row.seq}`, MessageDto.of(row, row.read_by_all_seq)]),
      );
      for (const [index, { message, resolve, reject }] of replays.entries()) {
        const original = originals.get(`${message.chat_id} ${seqs[index]}`);
        // Missing only when its group has been deleted since.
        if (original) resolve({ message: original, replayed: true });
        else reject(new AppError('chat_not_found'));
      }
    } catch (error) {
      for (const { reject } of replays) reject(error);
    }
  }
}

/** The error for an outcome that refuses a message. */
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
