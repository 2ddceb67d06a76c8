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

/** How often a node polls the log, in milliseconds. What no notification announced is published within 5 s. */
const POLL_INTERVAL_MS = 2_000;

/** For how long the rows of `chat_changes` are kept, in milliseconds: every node has published them long before. */
const RETENTION_MS = 600_000;

/**
 * Polls the tail of the log, which is all above the low watermark, for what a crash between commit and publish has left
 * out, and for lost notifications; without Redis, for all that other nodes write. While the database is unavailable the
 * watermark stays, and so nothing is missed.
 */
@Injectable()
export class LogTailPoller implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(LogTailPoller.name);
  /** Where the log ended at times past, in milliseconds of the process's clock; the oldest first. */
  private readonly ends: { readonly at: number; readonly changeId: number }[] = [];
  private readonly polling = new PollingLoop(this.logger, 'log', POLL_INTERVAL_MS, () => this.pollOnce());

  constructor(
    private readonly log: LogReader,
    private readonly watermark: LogWatermark,
    private readonly lanes: ChatLaneScheduler,
    private readonly published: PublishedPositions,
    private readonly catchUp: CatchUpQueue,
  ) {}

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

  private async pollOnce(): Promise<void> {
    const at = performance.now();
    const { chats, newest } = await this.log.advancesSince(this.watermark.position);
    const behind = chats.filter((chat) => this.isBehind(chat));
    if (behind.length > 0) await this.catchUp.add(behind.map(({ chat_id }) => chat_id));
    this.watermark.confirm(at, newest);
    await this.forgetPublished();
    await this.forgetChanges(at, newest.changeId);
  }

  private isBehind({ chat_id, seq, change_ids }: AdvancedChat): boolean {
    // What is being written here is published when that is done; if not, the next poll still returns it.
    if (this.lanes.isBusy(chat_id)) return false;
    const hasMessages = this.published.has(chat_id, { seq, changeSeq: 0 });
    return !hasMessages || change_ids.some((id) => !this.published.hasChange(id));
  }

  /** A round under way may have read from a lower watermark, and must still find what has been published since there. */
  private async forgetPublished(): Promise<void> {
    const { position } = this.watermark;
    await this.catchUp.settled();
    this.published.forget(position);
  }

  private async forgetChanges(at: number, changeId: number): Promise<void> {
    if (this.ends.length === 0 || at - this.ends.at(-1)!.at > RETENTION_MS / 10) this.ends.push({ at, changeId });
    if (at - this.ends[0]!.at > RETENTION_MS) await this.log.forgetChanges(this.ends.shift()!.changeId);
  }
}
