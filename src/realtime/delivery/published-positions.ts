/** How far a chat has been told: its messages up to `seq`, its changes up to `changeSeq`. */
export interface Position {
  readonly seq: number;
  readonly changeSeq: number;
}

/** A chat is forgotten after this time without news, in milliseconds: far longer than a look at the log goes back. */
const KEPT_MS = 60_000;

/** How far this node has told the chats that moved of late. */
export class PublishedPositions {
  private readonly positions = new Map<number, Position & { readonly at: number }>();

  of(chatId: number): Position | undefined {
    return this.positions.get(chatId);
  }

  /** Notes that the chat has been told so far; it never goes back. */
  advance(chatId: number, { seq, changeSeq }: Position): void {
    const held = this.positions.get(chatId);
    // To the end of the map: the chats come in the order of their last news.
    this.positions.delete(chatId);
    this.positions.set(chatId, {
      seq: Math.max(seq, held?.seq ?? 0),
      changeSeq: Math.max(changeSeq, held?.changeSeq ?? 0),
      at: performance.now(),
    });
  }

  /** Whether there is nothing to tell of the chat up to there. */
  has(chatId: number, { seq, changeSeq }: Position): boolean {
    const held = this.positions.get(chatId);
    return held !== undefined && held.seq >= seq && held.changeSeq >= changeSeq;
  }

  /** Forgets the chats that have been quiet. */
  forgetQuiet(): void {
    const limit = performance.now() - KEPT_MS;
    for (const [chatId, { at }] of this.positions) {
      if (at > limit) break;
      this.positions.delete(chatId);
    }
  }
}
