import { Injectable } from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';

/** Writes items of several chats at once, each chat's in their order. It settles each item itself and never rejects. */
export type Flush<T> = (items: T[]) => Promise<void>;

/** What waits in a lane: a task that needs the chat for itself, or an item that is flushed with others. */
type Entry = { readonly task: () => Promise<void> } | { readonly item: unknown };

/** Items that may wait, over all chats; beyond it `overloaded`. */
const MAX_WAITING = 10_000;
const MAX_BATCH = 256;
/** As many items make a second flush worth its commit: then one is stored while this process tells of the other. */
const ENOUGH_FOR_A_SECOND = 64;

/**
 * One lane for each chat that is being written to: its writes run one after the other inside this process, so that its
 * events leave in the order of the commits, and writers of a hot chat wait here, not each on a connection. (Between
 * processes the chat's row lock does the ordering.) Items that come while a flush is under way go together in the next
 * one: group commit without a timer, so that a message alone goes at once.
 */
@Injectable()
export class ChatLaneScheduler {
  private readonly lanes = new Map<number, Entry[]>();
  /** Chats that have something waiting and nothing under way, in the order they became so. */
  private readonly ready = new Set<number>();
  private flush: Flush<unknown> | undefined;
  private waiting = 0;
  private flushes = 0;

  /** Says what becomes of the items. */
  onFlush<T>(flush: Flush<T>): void {
    this.flush = flush as Flush<unknown>;
  }

  /** Runs a task when its chat is free. */
  run<T>(chatId: number, task: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.enter(chatId, { task: () => task().then(resolve, reject) });
    });
  }

  /** Whether something is being written to the chat here, or waits to be. */
  isBusy(chatId: number): boolean {
    return this.lanes.has(chatId);
  }

  /** Leaves an item for the next flush. @throws AppError `overloaded` */
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
    void task().finally(() => this.release([chatId]));
  }

  /** Every ready chat starts with an item here: the tasks have been started. */
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

  private release(chatIds: readonly number[]): void {
    for (const chatId of chatIds) {
      if (this.lanes.get(chatId)!.length > 0) this.ready.add(chatId);
      else this.lanes.delete(chatId);
    }
    this.pump();
  }
}
