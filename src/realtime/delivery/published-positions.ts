import { Injectable } from '@nestjs/common';
import type { LogPosition } from '../../messages/log.reader.js';
import { LogWatermark } from './log.watermark.js';

/** How far a chat has been published: its messages up to `seq`, its changes up to `changeSeq`. */
export interface Position {
  readonly seq: number;
  readonly changeSeq: number;
}

/** A chat is forgotten after this time without news, in milliseconds: far longer than a poll of the log goes back. */
const KEPT_MS = 60_000;

/**
 * What this node has published of late: of each chat a high-water mark, and the ids of single changes. A chat is *known*
 * while it has a mark; a chat without news for a minute is *unknown* again.
 *
 * Invariant: a mark never goes back, and everything up to it has been published here, or nobody was here to hear it.
 */
@Injectable()
export class PublishedPositions {
  private readonly positions = new Map<number, Position & { readonly at: number }>();
  /** Ids of changes above the low watermark. Reads have no `change_seq`, so a mark can't tell of them. */
  private readonly changeIds = new Set<number>();

  constructor(private readonly watermark: LogWatermark) {}

  /** The mark of a chat; undefined for an unknown one. */
  of(chatId: number): Position | undefined {
    return this.positions.get(chatId);
  }

  /** Notes that the chat has been published so far. */
  advance(chatId: number, { seq, changeSeq }: Position): void {
    const known = this.positions.get(chatId);
    // To the end of the map, which keeps the chats in the order of their last news.
    this.positions.delete(chatId);
    this.positions.set(chatId, {
      seq: Math.max(seq, known?.seq ?? 0),
      changeSeq: Math.max(changeSeq, known?.changeSeq ?? 0),
      at: performance.now(),
    });
  }

  /** Whether the chat has been published at least so far. */
  has(chatId: number, { seq, changeSeq }: Position): boolean {
    const known = this.positions.get(chatId);
    return known !== undefined && known.seq >= seq && known.changeSeq >= changeSeq;
  }

  /**
   * Whether everything before a new message has been published, so that it may be published at once. `changeSeq` is the
   * chat's at that message. An unknown chat must have been idle for so long that the last poll saw its last commit.
   */
  isNext(chatId: number, seq: number, { changeSeq, idleMs }: { changeSeq: number; idleMs: number }): boolean {
    const known = this.positions.get(chatId);
    return known ? known.seq === seq - 1 && known.changeSeq === changeSeq : idleMs > this.watermark.maxUnobservedMs;
  }

  /** Whether a message has been published. In an unknown chat only what is below the low watermark has, for certain. */
  hasMessage(chatId: number, { seq, id }: { seq: number; id: number }): boolean {
    const known = this.positions.get(chatId);
    return known ? seq <= known.seq : id <= this.watermark.position.messageId;
  }

  /** Notes that the change with this id, of `chat_changes`, has been published. */
  addChange(id: number): void {
    this.changeIds.add(id);
  }

  hasChange(id: number): boolean {
    return this.changeIds.has(id);
  }

  /** Forgets the chats without news, and the changes up to the low watermark, which no poll returns any more. */
  forget({ changeId }: LogPosition): void {
    const limit = performance.now() - KEPT_MS;
    for (const [chatId, { at }] of this.positions) {
      if (at > limit) break;
      this.positions.delete(chatId);
    }
    for (const id of this.changeIds) if (id <= changeId) this.changeIds.delete(id);
  }
}
