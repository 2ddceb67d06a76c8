import { ChatClient } from './chat-client.js';
import { CpuMeter } from '../targets/cpu.js';
import { DeliveryCheck } from './exactness.js';
import { keyOf, MESSAGE_TEXT, type SendPlan, type SendResult, type Window } from './load-plan.js';

/** Concurrent handshakes before a send run. */
const CONNECT_WINDOW = 64;
/** The wait after the last ack and delivery, in milliseconds: nothing more may arrive. */
const SETTLE_MS = 50;
const DRAIN_TIMEOUT_MS = 20_000;

/** A connected socket with what it has sent and received. */
class Device {
  client: ChatClient;
  readonly sentAt: number[] = [];
  readonly seqs: number[] = [];
  readonly check: DeliveryCheck;

  constructor(
    readonly index: number,
    readonly chatId: number,
    readonly sends: boolean,
    head: number,
    ordered: boolean,
  ) {
    this.check = new DeliveryCheck(`socket ${index}`, chatId, head, ordered);
  }
}

/** Sends over many sockets, at full speed or at a fixed rate, and checks every delivery. */
export class SendRun {
  private readonly devices: Device[];
  private readonly senders: Device[];
  private readonly problems: string[] = [];
  private connected = 0;
  private waiting = 0;
  private acks = 0;
  private deliveries = 0;
  private receipts = 0;
  /** Whether each ack triggers the next command of its socket. */
  private sustained = false;
  private latencies: number[] | undefined;

  constructor(private readonly plan: SendPlan) {
    const { sockets, heads, ordered } = plan;
    this.devices = sockets.map(({ chatId, sends }, i) => new Device(i, chatId, sends, heads.get(chatId) ?? 0, ordered));
    this.senders = this.devices.filter(({ sends }) => sends);
  }

  /** @throws RunProblem when a message was lost, duplicated, out of order or refused */
  async run(): Promise<SendResult> {
    const { warmUpMs, windowMs, halfLoadMs } = this.plan;
    try {
      await this.connectAll();
      const full = await this.atFullLoad(warmUpMs, windowMs);
      const half = halfLoadMs > 0 ? await this.atRate(full.acks / full.seconds / 2, warmUpMs, halfLoadMs) : undefined;
      this.checkDeliveries();
      this.throwProblems();
      const acked = this.senders.map(({ index, chatId, seqs }) => ({ socket: index, chatId, seqs }));
      const outOfOrder = this.devices.reduce((sum, { check }) => sum + check.outOfOrder, 0);
      return { kind: 'send', full, half, acked, outOfOrder };
    } finally {
      for (const { client } of this.devices) client.close();
    }
  }

  private async connectAll(): Promise<void> {
    for (const device of this.devices) {
      await this.until(() => device.index - this.connected < CONNECT_WINDOW, 1);
      device.client = new ChatClient(this.plan.port, this.plan.sockets[device.index]!.auth, {
        onConnected: () => (this.connected += 1),
        onMessage: (chatId, seq) => {
          this.deliveries += 1;
          device.check.receive(chatId, seq);
        },
        onReceipt: () => (this.receipts += 1),
        onAck: (n, seq) => this.acked(device, n, seq),
        onProblem: (what) => this.problems.push(`socket ${device.index}: ${what}`),
      });
    }
    await this.until(() => this.connected === this.devices.length, 1);
    await pause(SETTLE_MS);
  }

  /** Sends as fast as the server accepts: each ack triggers the next command. */
  private async atFullLoad(warmUpMs: number, windowMs: number): Promise<Window> {
    this.sustained = true;
    for (const device of this.senders) {
      for (let i = 0; i < this.plan.inFlight; i++) this.send(device);
      device.client.flush();
    }
    await pause(warmUpMs);
    const window = await this.measure(windowMs);
    this.sustained = false;
    await this.drain();
    return window;
  }

  /** Sends `rate` commands a second, spread over the sockets, however fast the server answers. */
  private async atRate(rate: number, warmUpMs: number, windowMs: number): Promise<Window> {
    const start = performance.now();
    let sent = 0;
    let stopped = false;
    const tick = (): void => {
      if (stopped) return;
      const due = ((performance.now() - start) * rate) / 1_000;
      for (; sent < due; sent++) {
        const device = this.senders[sent % this.senders.length]!;
        this.send(device);
        device.client.flush();
      }
      setTimeout(tick, 1);
    };
    tick();
    await pause(warmUpMs);
    const window = await this.measure(windowMs);
    stopped = true;
    await this.drain();
    return window;
  }

  private send(device: Device): void {
    const n = device.sentAt.push(performance.now()) - 1;
    this.waiting += 1;
    device.client.send(n, device.chatId, MESSAGE_TEXT, keyOf(this.plan.run, device.index, n));
  }

  private acked(device: Device, n: number, seq: number): void {
    if (device.seqs[n] !== undefined) this.problems.push(`socket ${device.index}: command ${n} was acked twice`);
    device.seqs[n] = seq;
    this.waiting -= 1;
    this.acks += 1;
    this.latencies?.push(performance.now() - device.sentAt[n]!);
    if (this.sustained) this.send(device);
  }

  private async measure(windowMs: number): Promise<Window> {
    const { acks, deliveries, receipts } = this;
    const latencies: number[] = (this.latencies = []);
    const start = performance.now();
    const cpu = new CpuMeter(this.plan.watched);
    await pause(windowMs);
    const seconds = (performance.now() - start) / 1_000;
    this.latencies = undefined;
    return {
      seconds,
      acks: this.acks - acks,
      deliveries: this.deliveries - deliveries,
      receipts: this.receipts - receipts,
      cpu: cpu.shares(),
      latency: percentilesOf(latencies),
    };
  }

  /** Waits until every command is acked and every socket has received every message. */
  private async drain(): Promise<void> {
    await this.until(() => this.waiting === 0, 5);
    const heads = this.heads();
    await this.until(() => this.devices.every(({ check, chatId }) => check.isDone(heads.get(chatId)!)), 5);
    await pause(SETTLE_MS);
  }

  /** The last acked `seq` of each chat. */
  private heads(): Map<number, number> {
    const heads = new Map(this.devices.map(({ chatId }) => [chatId, this.plan.heads.get(chatId) ?? 0]));
    for (const { chatId, seqs } of this.senders) {
      for (const seq of seqs) if (seq > heads.get(chatId)!) heads.set(chatId, seq);
    }
    return heads;
  }

  private checkDeliveries(): void {
    const heads = this.heads();
    for (const { check, chatId } of this.devices) {
      const problem = check.problemAt(heads.get(chatId)!);
      if (problem !== undefined) this.problems.push(problem);
    }
  }

  /** Waits for a condition. @throws RunProblem at the first problem, or after a timeout */
  private async until(condition: () => boolean, intervalMs: number): Promise<void> {
    const deadline = performance.now() + DRAIN_TIMEOUT_MS;
    while (!condition()) {
      if (performance.now() > deadline) {
        this.checkDeliveries();
        this.problems.push(`gave up waiting: ${this.connected} connected, ${this.waiting} commands without an ack`);
      }
      this.throwProblems();
      await pause(intervalMs);
    }
  }

  private throwProblems(): void {
    if (this.problems.length > 0) throw new RunProblem(this.problems);
  }
}

/** The problems for which a run has no result. */
export class RunProblem extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function percentilesOf(latencies: number[]): Window['latency'] {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
