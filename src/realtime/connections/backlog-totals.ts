import type { RealtimeOptions } from '../realtime.options.js';

/** The backlog of one connection. */
interface CountedBacklog {
  /** The user of the connection; undefined before its socket has joined. */
  readonly userId: number | undefined;
  /** Cuts the connection. It leaves the totals at once. */
  cut(): void;
}

interface Share {
  readonly bytes: number;
  readonly userId: number | undefined;
}

/**
 * What waits for all slow readers of this node, and for those of one user, in bytes. Each `Backlog` has a bound of its
 * own, but many below it would still take all memory. Beyond a total, the largest backlogs are cut first.
 *
 * Invariant: the totals are the sums of the shares.
 */
export class BacklogTotals {
  private readonly shares = new Map<CountedBacklog, Share>();
  private readonly users = new Map<number, number>();
  private total = 0;

  constructor(private readonly bound: Pick<RealtimeOptions['maxBacklog'], 'userBytes' | 'nodeBytes'>) {}

  /** Sets the share of a backlog: how many bytes wait for its client now. */
  set(backlog: CountedBacklog, bytes: number): void {
    this.remove(backlog);
    const { userId } = backlog;
    this.shares.set(backlog, { bytes, userId });
    this.add(userId, bytes);
    if (userId !== undefined && this.users.get(userId)! > this.bound.userBytes) this.cutLargest(userId);
    if (this.total > this.bound.nodeBytes) this.cutLargest();
  }

  /** Takes a backlog off the totals. */
  remove(backlog: CountedBacklog): void {
    const share = this.shares.get(backlog);
    if (!share) return;
    this.shares.delete(backlog);
    this.add(share.userId, -share.bytes);
  }

  private add(userId: number | undefined, bytes: number): void {
    this.total += bytes;
    if (userId === undefined) return;
    const sum = (this.users.get(userId) ?? 0) + bytes;
    if (sum === 0) this.users.delete(userId);
    else this.users.set(userId, sum);
  }

  /** Cuts the largest backlog of the user, or of all. One is enough: a bound is checked whenever a share grows. */
  private cutLargest(userId?: number): void {
    let largest: [backlog: CountedBacklog, share: Share] | undefined;
    for (const [backlog, share] of this.shares) {
      const isCandidate = userId === undefined || share.userId === userId;
      if (isCandidate && share.bytes > (largest?.[1].bytes ?? 0)) largest = [backlog, share];
    }
    largest?.[0].cut();
  }
}
