/** What a run must satisfy to have a result: nothing lost, nothing doubled, everything in order. */

/** More of one kind tell nothing new. */
const MAX_PROBLEMS = 10;

/** What one socket has heard of its chat: each `seq` once, none left out, and in order where order is promised. */
export class DeliveryCheck {
  /** How many came before one that was due. */
  overtaking = 0;
  private readonly early = new Set<number>();
  private problem: string | undefined;

  constructor(
    private readonly name: string,
    private readonly chatId: number,
    private lastSeq: number,
    private readonly ordered: boolean,
  ) {}

  heard(chatId: number, seq: number): void {
    if (chatId === this.chatId && seq === this.lastSeq + 1) {
      this.lastSeq = seq;
      if (this.early.size > 0) this.catchUp();
    } else this.surprised(chatId, seq);
  }

  /** Whether all up to `head` has come, or can't come any more. */
  isDone(head: number): boolean {
    return this.problem !== undefined || this.lastSeq >= head;
  }

  /** What is wrong, given the chat's last `seq`. */
  problemAt(head: number): string | undefined {
    if (this.problem !== undefined || this.lastSeq === head) return this.problem;
    return `${this.name} heard up to ${this.lastSeq} of chat ${this.chatId}, which is at ${head}`;
  }

  private surprised(chatId: number, seq: number): void {
    const isNew = chatId === this.chatId && seq > this.lastSeq && !this.early.has(seq);
    if (isNew && !this.ordered) {
      this.early.add(seq);
      this.overtaking += 1;
    } else this.problem ??= `${this.name} heard ${seq} of chat ${chatId} after ${this.lastSeq} of chat ${this.chatId}`;
  }

  private catchUp(): void {
    while (this.early.delete(this.lastSeq + 1)) this.lastSeq += 1;
  }
}

/** A message as it was acked, or as the database holds it. */
export interface StoredMessage {
  readonly chatId: number;
  readonly key: string;
  readonly seq: number;
}

/** Whether the acks number each chat 1, 2, 3 … */
export function checkDense(acked: readonly StoredMessage[]): string[] {
  const problems: string[] = [];
  const chats = new Map<number, number[]>();
  for (const { chatId, seq } of acked)
    chats
      .set(chatId, chats.get(chatId) ?? [])
      .get(chatId)!
      .push(seq);
  for (const [chatId, seqs] of chats) {
    seqs.sort((one, other) => one - other);
    const wrong = seqs.findIndex((seq, index) => seq !== index + 1);
    if (wrong >= 0) problems.push(`chat ${chatId}: ${seqs[wrong]!} is acked where ${wrong + 1} was due`);
  }
  return problems.slice(0, MAX_PROBLEMS);
}

/** Whether the database holds what was acked, all of it, once and with the acked `seq`, and nothing else. */
export function checkStored(acked: readonly StoredMessage[], stored: readonly StoredMessage[]): string[] {
  const problems: string[] = [];
  const nameOf = ({ chatId, key }: StoredMessage): string => `${chatId} ${key}`;
  const left = new Map(acked.map((message) => [nameOf(message), message]));
  if (left.size < acked.length) problems.push(`${acked.length - left.size} messages were acked twice`);
  for (const row of stored) {
    const message = left.get(nameOf(row));
    if (!message) problems.push(`${row.key} is stored twice, or was never acked`);
    else if (message.seq !== row.seq)
      problems.push(`${row.key} was acked as ${message.seq} and is stored as ${row.seq}`);
    left.delete(nameOf(row));
  }
  for (const { key, chatId } of left.values()) problems.push(`${key} of chat ${chatId} was acked and isn't stored`);
  return problems.slice(0, MAX_PROBLEMS);
}
