// The checks that a run must pass to have a result: no message is lost, duplicated or out of order.

/** How many problems of one kind are reported. */
const MAX_PROBLEMS = 10;

/** Checks what one socket receives of its chat: every `seq` once, without gaps, and in order where promised. */
export class DeliveryCheck {
  /** How many messages arrived before an earlier one. */
  outOfOrder = 0;
  private readonly early = new Set<number>();
  private problem: string | undefined;

  constructor(
    private readonly name: string,
    private readonly chatId: number,
    private lastSeq: number,
    private readonly ordered: boolean,
  ) {}

  receive(chatId: number, seq: number): void {
    if (chatId === this.chatId && seq === this.lastSeq + 1) {
      this.lastSeq = seq;
      if (this.early.size > 0) this.catchUp();
    } else this.receiveUnexpected(chatId, seq);
  }

  /** Whether everything up to `head` has arrived or can no longer arrive. */
  isDone(head: number): boolean {
    return this.problem !== undefined || this.lastSeq >= head;
  }

  /** The problem, if any, given the chat's last `seq`. */
  problemAt(head: number): string | undefined {
    if (this.problem !== undefined || this.lastSeq === head) return this.problem;
    return `${this.name} heard up to ${this.lastSeq} of chat ${this.chatId}, which is at ${head}`;
  }

  private receiveUnexpected(chatId: number, seq: number): void {
    const isNew = chatId === this.chatId && seq > this.lastSeq && !this.early.has(seq);
    if (isNew && !this.ordered) {
      this.early.add(seq);
      this.outOfOrder += 1;
    } else this.problem ??= `${this.name} heard ${seq} of chat ${chatId} after ${this.lastSeq} of chat ${this.chatId}`;
  }

  private catchUp(): void {
    while (this.early.delete(this.lastSeq + 1)) this.lastSeq += 1;
  }
}

/** A message as acked, or as stored in the database. */
export interface StoredMessage {
  readonly chatId: number;
  readonly key: string;
  readonly seq: number;
}

/** Problems of the acked seqs, which must be 1, 2, 3 … in each chat. */
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

/** Problems of the stored messages: exactly the acked ones must be stored, once each and with the acked `seq`. */
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
