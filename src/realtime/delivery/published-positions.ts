import { Injectable } from '@nestjs/common';
import type { LogPosition } from '../../messages/log.reader.js';
import { LogWatermark } from './log.watermark.js';

/** A position in a chat: its messages up to `seq`, and its changes up to `changeSeq`. */
export interface Position {
  readonly seq: number;
  readonly changeSeq: number;
}

/** A chat that has not advanced for this time, in milliseconds, is forgotten. A poll of the log goes back far less. */
const KEPT_MS = 60_000;

/**
 * What this node has published lately: a high-water mark for each chat, and the ids of single changes. `ChatFeed`,
 * `LogTailPoller` and the classes of a catch-up round use it.
 *
 * A chat is *known* while it has a high-water mark. It is *unknown* again when it has not advanced for a minute.
 *
 * Invariants: a high-water mark never goes back. Everything up to it has been published on this node, or no member was
 * connected here. Every published change above the low watermark is in `changeIds`.
 */
@Injectable()
export class PublishedPositions {
  private readonly positions = new Map<number, Position & { readonly at: number }>();
  /**
   * The ids of published changes above the low watermark. Reads have no `change_seq`, so a high-water mark can't cover
   * them.
   */
  private readonly changeIds = new Set<number>();

  constructor(private readonly watermark: LogWatermark) {}

  /** The high-water mark of a chat; undefined for an unknown one. */
  of(chatId: number): Position | undefined {
    return this.positions.get(chatId);
  }

  /** Notes that the chat has been published up to this position. */
  advance(chatId: number, { seq, changeSeq }: Position): void {
    const known = this.positions.get(chatId);
    // Move the chat to the end of the map, whose order is that of the last advances.
    this.positions.delete(chatId);
    this.positions.set(chatId, {
      seq: Math.max(seq, known?.seq ?? 0),
      changeSeq: Math.max(changeSeq, known?.changeSeq ?? 0),
      at: performance.now(),
    });
  }

  /** Whether the chat is known, and has been published at least up to this position. */
  has(chatId: number, { seq, changeSeq }: Position): boolean {
    const known = this.positions.get(chatId);
    return known !== undefined && known.seq >= seq && known.changeSeq >= changeSeq;
  }

  /**
   * Whether everything before a new message has been published, so that the message may be published at once.
   * `changeSeq` is that of the chat when the message was appended. An unknown chat must have been idle for so long that
   * the last poll saw its last commit.
   */
  isNext(chatId: number, seq: number, { changeSeq, idleMs }: { changeSeq: number; idleMs: number }): boolean {
    const known = this.positions.get(chatId);
    return known ? known.seq === seq - 1 && known.changeSeq === changeSeq : idleMs > this.watermark.maxUnobservedMs;
  }

  /** Whether a message has certainly been published. In an unknown chat, that is known only up to the low watermark. */
  hasMessage(chatId: number, { seq, id }: { seq: number; id: number }): boolean {
    const known = this.positions.get(chatId);
    return known ? seq <= known.seq : id <= this.watermark.position.messageId;
  }

  /** Notes that the row of `chat_changes` with this id has been published. */
  addChange(id: number): void {
    this.changeIds.add(id);
  }

  /** Whether the row of `chat_changes` with this id, above the low watermark, has been published. */
  hasChange(id: number): boolean {
    return this.changeIds.has(id);
  }

  /**
   * Forgets the chats that have not advanced for a minute, and the changes up to the low watermark, which no poll reads
   * again.
   */
  forget({ changeId }: LogPosition): void {
    const limit = performance.now() - KEPT_MS;
    for (const [chatId, { at }] of this.positions) {
      if (at > limit) break;
      this.positions.delete(chatId);
    }
    for (const id of this.changeIds) if (id <= changeId) this.changeIds.delete(id);
  }
}
