import { Injectable } from '@nestjs/common';
import { UnpublishedChatsPublisher } from './unpublished-chats.publisher.js';
import { UnpublishedChatsReader } from './unpublished-chats.reader.js';

/** How many chats one set of queries reads. */
const MAX_CHATS = 200;

/**
 * The chats whose unpublished messages and changes have to be read from the database. `ChatFeed` and `LogTailPoller`
 * add them. Rounds read and publish them, one round at a time.
 *
 * States of a chat:
 * - *idle*: it is not in the queue;
 * - *waiting*: it is in the next round, once, however often it was added;
 * - *in the round*: the running round reads and publishes it. If it is added again meanwhile, it is also waiting.
 *
 * Transitions:
 * - idle → waiting: `add`;
 * - waiting → in the round: the round before has ended;
 * - in the round → idle: the round has ended. If it failed, the next poll of the log adds the chat again.
 *
 * Invariant: what was committed before `add` is published when the promise of `add` resolves.
 */
@Injectable()
export class CatchUpQueue {
  private waiting = new Set<number>();
  private inRound: ReadonlySet<number> = new Set();
  /** The round that has not begun; undefined if there is none. Chats are added to this round. */
  private nextRound: Promise<void> | undefined;
  private lastRound: Promise<void> = Promise.resolve();

  constructor(
    private readonly reader: UnpublishedChatsReader,
    private readonly publisher: UnpublishedChatsPublisher,
  ) {}

  /** Whether the chat is waiting or in the round. */
  has(chatId: number): boolean {
    return this.waiting.has(chatId) || this.inRound.has(chatId);
  }

  /**
   * Adds these chats to the next round. Resolves when that round is over: all that is committed now has been published.
   * @throws the error of the round, usually that the database is unavailable
   */
  add(chatIds: readonly number[]): Promise<void> {
    for (const chatId of chatIds) this.waiting.add(chatId);
    if (!this.nextRound) {
      this.nextRound = this.lastRound.then(() => this.round());
      this.lastRound = this.nextRound.catch(() => undefined);
    }
    return this.nextRound;
  }

  /** Resolves when the running round and the next one are over, whether they succeed or not. */
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
