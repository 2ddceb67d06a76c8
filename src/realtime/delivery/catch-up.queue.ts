import { Injectable } from '@nestjs/common';
import { UnpublishedChatsPublisher } from './unpublished-chats.publisher.js';
import { UnpublishedChatsReader } from './unpublished-chats.reader.js';

/** Chats that are read by the same queries. */
const MAX_CHATS = 200;

/**
 * Chats that have to be caught up with from the database. One round runs at a time; chats that are added meanwhile wait
 * for the next one, each of them once, however often it is added.
 *
 * A chat is *idle*, *waiting*, or *in the round*; added during its round, it is both of the latter. A round that fails
 * leaves its chats idle, and the next poll of the log adds them again.
 */
@Injectable()
export class CatchUpQueue {
  private waiting = new Set<number>();
  private inRound: ReadonlySet<number> = new Set();
  /** The round that has not begun; all that is added goes into it. */
  private nextRound: Promise<void> | undefined;
  private lastRound: Promise<void> = Promise.resolve();

  constructor(
    private readonly reader: UnpublishedChatsReader,
    private readonly publisher: UnpublishedChatsPublisher,
  ) {}

  /** Whether the chat waits, or is in the round under way. */
  has(chatId: number): boolean {
    return this.waiting.has(chatId) || this.inRound.has(chatId);
  }

  /**
   * Catches up with these chats. Resolves when they have been published as far as they are now.
   * @throws whatever says that the database is unavailable
   */
  add(chatIds: readonly number[]): Promise<void> {
    for (const chatId of chatIds) this.waiting.add(chatId);
    if (!this.nextRound) {
      this.nextRound = this.lastRound.then(() => this.round());
      this.lastRound = this.nextRound.catch(() => undefined);
    }
    return this.nextRound;
  }

  /** Resolves when the rounds that there are by now are over, whether they succeed or not. */
  settled(): Promise<void> {
    return this.lastRound;
  }

  private async round(): Promise<void> {
    const chatIds = [...this.waiting];
    this.inRound = this.waiting;
    this.waiting = new Set();
    this.nextRound = undefined;
    try {
      for (let start = 0; start < chatIds.length; start += MAX_CHATS) {
        await this.publisher.publish(await this.reader.read(chatIds.slice(start, start + MAX_CHATS)));
      }
    } finally {
      this.inRound = new Set();
    }
  }
}
