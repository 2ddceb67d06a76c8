import { Injectable } from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';

/**
 * Writes the items of several chats in one batch, each chat's in the given order. It answers each item itself and never
 * rejects.
 */
export type Flush<T> = (items: T[]) => Promise<void>;

/** What waits in a lane: a task, which runs alone in its chat, or an item, which is flushed together with others. */
type Entry = { readonly task: () => Promise<void> } | { readonly item: unknown };

/** Items that may wait in all lanes together, and as many tasks; one more is refused with `overloaded`. */
const MAX_WAITING = 10_000;
/** Items of one flush. */
const MAX_BATCH = 256;
/**
 * With this many items waiting, a second flush runs beside the first: one is stored while the events of the other are
 * published.
 */
const ENOUGH_FOR_A_SECOND = 64;

/**
 * The lanes: a serial queue for each chat, inside this process. `LogWriter` adds messages as items, `ChatWriter` and
 * `ReceiptsService` run their writes as tasks.
 *
 * States of a lane:
 * - *absent*: nothing waits and nothing is under way;
 * - *ready*: entries wait and nothing is under way;
 * - *busy*: a task or a flush of the chat is under way; more entries may wait.
 *
 * Transitions:
 * - a new entry makes an absent lane ready, and waits in a lane that is not absent;
 * - a ready lane with a task in front starts it, and is busy;
 * - a flush takes the items in front of the first task of every ready lane, up to 256, and these lanes are busy. One
 *   flush runs at a time; with 64 or more items waiting, two do;
 * - when its task or flush ends, a lane is ready if entries wait, else absent.
 *
 * Invariants: a chat has at most one write under way, events included, and its entries start in the order in which they
 * came. So its events leave in the order of its commits, and the writers of a hot chat wait here, not each on a
 * database connection. (Between processes, the row lock of the chat orders the writes.) Items that come during a flush
 * go together in the next one: group commit without a timer, so a single message is never delayed.
 */
@Injectable()
export class ChatLaneScheduler {
  /** The waiting entries of every chat that is not absent. */
  private readonly lanes = new Map<number, Entry[]>();
  /** The ready chats, in the order in which they became ready. */
  private readonly ready = new Set<number>();
  private flush: Flush<unknown> | undefined;
  /** Items that wait in all lanes. */
  private waiting = 0;
  /** Tasks that wait or are under way. */
  private tasks = 0;
  /** Flushes under way. */
  private flushes = 0;

  /** Sets how items are written. Only `LogWriter` calls it, once, before the first `add`. */
  onFlush<T>(flush: Flush<T>): void {
    this.flush = flush as Flush<unknown>;
  }

  /**
   * Runs a task alone in its chat, after the entries that came before it. Returns or throws what the task does.
   * @throws AppError `overloaded`
   */
  async run<T>(chatId: number, task: () => Promise<T>): Promise<T> {
    if (this.tasks >= MAX_WAITING) throw new AppError('overloaded');
    this.tasks += 1;
    return new Promise<T>((resolve, reject) => {
      this.enter(chatId, { task: () => task().then(resolve, reject) });
    });
  }

  /** Whether a write to the chat is under way or waits in this process. */
  isBusy(chatId: number): boolean {
    return this.lanes.has(chatId);
  }

  /** Adds an item for a coming flush. @throws AppError `overloaded` */
  add(chatId: number, item: unknown): void {
    if (this.waiting >= MAX_WAITING) throw new AppError('overloaded');
    this.waiting += 1;
    this.enter(chatId, { item });
  }

  private enter(chatId: number, entry: Entry): void {
    const lane = this.lanes.get(chatId);
    if (lane) {
      lane.push(entry);
      return;
    }
    this.lanes.set(chatId, [entry]);
    this.ready.add(chatId);
    this.pump();
  }

  /** Starts whatever may start: the tasks in front of ready lanes, then as many flushes as are allowed. */
  private pump(): void {
    for (const chatId of this.ready) {
      const [head] = this.lanes.get(chatId)!;
      if (head && 'task' in head) this.startTask(chatId, head.task);
    }
    while (this.ready.size > 0 && this.flushes < (this.waiting < ENOUGH_FOR_A_SECOND ? 1 : 2)) this.startFlush();
  }

  private startTask(chatId: number, task: () => Promise<void>): void {
    this.lanes.get(chatId)!.shift();
    this.ready.delete(chatId);
    void task().finally(() => {
      this.tasks -= 1;
      this.release([chatId]);
    });
  }

  /** Takes a batch from the ready lanes. Each of them has an item in front, as `pump` has started the tasks. */
  private startFlush(): void {
    const items: unknown[] = [];
    const chatIds: number[] = [];
    for (const chatId of this.ready) {
      const lane = this.lanes.get(chatId)!;
      const firstTask = lane.findIndex((entry) => 'task' in entry);
      const room = MAX_BATCH - items.length;
      const taken = lane.splice(0, Math.min(room, firstTask < 0 ? lane.length : firstTask));
      for (const entry of taken) items.push((entry as { item: unknown }).item);
      chatIds.push(chatId);
      this.ready.delete(chatId);
      if (items.length >= MAX_BATCH) break;
    }
    this.waiting -= items.length;
    this.flushes += 1;
    void this.flush!(items).finally(() => {
      this.flushes -= 1;
      this.release(chatIds);
    });
  }

  /** Ends the write of these chats. */
  private release(chatIds: readonly number[]): void {
    for (const chatId of chatIds) {
      if (this.lanes.get(chatId)!.length > 0) this.ready.add(chatId);
      else this.lanes.delete(chatId);
    }
    this.pump();
  }
}
