import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { ChatLaneScheduler } from '../../chats/chat-lane.scheduler.js';
import { PollingLoop } from '../../common/polling-loop.js';
import { type AdvancedChat, LogReader } from '../../messages/log.reader.js';
import { CatchUpQueue } from './catch-up.queue.js';
import { LogWatermark } from './log.watermark.js';
import { PublishedPositions } from './published-positions.js';

/** How often a node polls the log, in milliseconds. So what no notification announced is published within 5 s. */
const POLL_INTERVAL_MS = 2_000;

/** How long the rows of `chat_changes` are kept, in milliseconds. Every node has published them long before. */
const RETENTION_MS = 600_000;

/** How many slices of `LogReader.forgetChanges` one poll deletes at the most: the next one waits for them. */
const FORGOTTEN_SLICES = 20;

/**
 * Polls the tail of the log, which is everything above the low watermark (`LogWatermark`), and lets the chats that are
 * behind catch up. It finds what a node that crashed between commit and publish left unpublished, and what a lost
 * notification announced; without Redis, everything that other nodes write. It also deletes old rows of `chat_changes`.
 *
 * Invariant: the watermark advances only after everything that the poll found has been published. While the database is
 * unavailable it stays, so nothing is missed.
 */
@Injectable()
export class LogTailPoller implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(LogTailPoller.name);
  /** Where the log ended at past polls, and when, in milliseconds of the process's clock; the oldest first. */
  private readonly ends: { readonly at: number; readonly changeId: number }[] = [];
  /** The newest change that is older than `RETENTION_MS`. */
  private forgettable = 0;
  private readonly polling = new PollingLoop(this.logger, 'log', POLL_INTERVAL_MS, () => this.pollOnce());

  constructor(
    private readonly log: LogReader,
    private readonly watermark: LogWatermark,
    private readonly lanes: ChatLaneScheduler,
    private readonly published: PublishedPositions,
    private readonly catchUp: CatchUpQueue,
  ) {}

  /** Sets the watermark before the node accepts clients. */
  async onModuleInit(): Promise<void> {
    this.watermark.start(await this.log.newest());
  }

  onApplicationBootstrap(): void {
    this.polling.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.polling.stop();
  }

  /** Polls now; resolves when what was found has been published, or the database is unavailable. */
  poll(): Promise<void> {
    return this.polling.runNow();
  }

  /** One poll: find the chats that are behind, let them catch up, and only then advance the watermark. */
  private async pollOnce(): Promise<void> {
    const at = performance.now();
    const { chats, newest } = await this.log.advancesSince(this.watermark.position);
    const behind = chats.filter((chat) => this.isBehind(chat));
    if (behind.length > 0) await this.catchUp.add(behind.map(({ chat_id }) => chat_id));
    this.watermark.confirm(at, newest);
    await this.forgetPublished();
    await this.forgetChanges(at, newest.changeId);
  }

  /** Whether this node still has to publish some of what the poll found. */
  private isBehind({ chat_id, seq, change_ids }: AdvancedChat): boolean {
    // This node is writing to the chat, and publishes after that. If it fails to, the next poll returns the chat again.
    if (this.lanes.isBusy(chat_id)) return false;
    const hasMessages = this.published.has(chat_id, { seq, changeSeq: 0 });
    return !hasMessages || change_ids.some((id) => !this.published.hasChange(id));
  }

  /**
   * Forgets what lies below the watermark. It waits for the running rounds: they may have read from a lower watermark,
   * and must still find there what has been published.
   */
  private async forgetPublished(): Promise<void> {
    const { position } = this.watermark;
    await this.catchUp.settled();
    this.published.forget(position);
  }

  /**
   * Deletes rows that are older than `RETENTION_MS`; it notes the end of the log ten times in that time. What is left
   * over, after many rows or a failure, the next poll deletes.
   */
  private async forgetChanges(at: number, changeId: number): Promise<void> {
    if (this.ends.length === 0 || at - this.ends.at(-1)!.at > RETENTION_MS / 10) this.ends.push({ at, changeId });
    if (at - this.ends[0]!.at > RETENTION_MS) this.forgettable = this.ends.shift()!.changeId;
    for (let slice = 0; slice < FORGOTTEN_SLICES && (await this.log.forgetChanges(this.forgettable)); slice += 1);
  }
}
