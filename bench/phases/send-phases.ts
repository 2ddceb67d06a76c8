import { Figure, type Target } from '../report/figures.js';
import { CHATS, interleaved, type BenchTargets, settlePause } from '../targets/bench-targets.js';
import { LoadFigures, type Measured } from '../load/load-figures.js';
import type { SendResult } from '../load/load-plan.js';
import type { ServerName } from '../targets/servers.js';
import type { DatasetChat } from '../targets/dataset.js';

// The phases that send messages.

interface SendPhase {
  readonly servers: readonly ServerName[];
  readonly chats: readonly DatasetChat[];
  /** How many members of each chat send; the others only receive. */
  readonly senders: number;
  /** Unacked messages per sender. */
  readonly inFlight: number;
  readonly windowMs: number;
  readonly halfLoadMs?: number;
}

const WARM_UP_MS = 500;
const ALL = ['ours', 'bare', 'baseline'] as const;

const AGAINST_BOTH: readonly Target[] = [
  { over: 'bare', atLeast: 0.5 },
  { over: 'baseline', atLeast: 10 },
];

/** Runs a phase on the servers in turns. `take` gets the result of each run. */
async function measure(
  { servers, chats, senders, inFlight, windowMs, halfLoadMs = 0 }: SendPhase,
  targets: BenchTargets,
  rounds: number,
  take: (name: ServerName, round: number, result: SendResult) => void,
): Promise<void> {
  const shape = { inFlight, warmUpMs: WARM_UP_MS, windowMs, halfLoadMs };
  const sending = new Set(chats.flatMap(({ memberIds }) => memberIds.slice(0, senders)));
  await interleaved(servers, rounds, async (name, round) => {
    take(name, round, await targets.of(name).send(chats, (userId) => sending.has(userId), shape));
    await settlePause();
  });
}

/** Sends in many chats, one unacked message per user; then measures the latency at half of each server's own rate. */
export async function sends(targets: BenchTargets, rounds: number): Promise<Measured> {
  const rate = new Figure('Sends in 128 chats', 'messages/s', AGAINST_BOTH);
  const p50 = new Figure('Ack at half load, p50', 'ms', [{ over: 'bare' }]);
  const p99 = new Figure('Ack at half load, p99', 'ms', [{ over: 'bare', atMost: 5 }]);
  const outOfOrder = new Figure('Messages heard out of order', 'deliveries');
  const full = new LoadFigures('Sends in 128 chats');
  const half = new LoadFigures('Half load');
  const phase: SendPhase = {
    servers: ALL,
    chats: CHATS.private,
    senders: 2,
    inFlight: 1,
    windowMs: 3_000,
    halfLoadMs: 2_500,
  };
  await measure(phase, targets, rounds, (name, round, result) => {
    full.add(name, result.full);
    half.add(name, result.half!);
    rate.add(round, name, result.full.acks / result.full.seconds);
    p50.add(round, name, result.half!.latency.p50);
    p99.add(round, name, result.half!.latency.p99);
    outOfOrder.add(round, name, result.outOfOrder);
  });
  return { figures: [rate, p50, p99, outOfOrder], loads: [full, half] };
}

const loadPhase =
  (title: string, goals: readonly Target[], phase: SendPhase, counted: 'acks' | 'deliveries' = 'acks') =>
  async (targets: BenchTargets, rounds: number): Promise<Measured> => {
    const rate = new Figure(title, counted === 'acks' ? 'messages/s' : 'deliveries/s', goals);
    const load = new LoadFigures(title);
    await measure(phase, targets, rounds, (name, round, { full }) => {
      load.add(name, full);
      rate.add(round, name, full[counted] / full.seconds);
    });
    return { figures: [rate], loads: [load] };
  };

/** The same with eight unacked messages per user, like clients that empty a queue. */
export const pipelinedSends = loadPhase('Sends in 128 chats, 8 in flight each', AGAINST_BOTH, {
  servers: ALL,
  chats: CHATS.private,
  senders: 2,
  inFlight: 8,
  windowMs: 2_000,
});

/** Sends in one chat, which the server must number serially. It has few listeners, so that the log is measured. */
export const hotOneSender = loadPhase(
  'One hot chat, 1 sender of 4 members',
  [{ atLeast: 5_000 }, { over: 'bare' }, { over: 'baseline' }],
  { servers: ALL, chats: CHATS.oneSender, senders: 1, inFlight: 256, windowMs: 2_000 },
);

/** The same with all members sending: each message has 16 deliveries and causes receipts. */
export const hotManySenders = loadPhase('One hot chat, 16 senders of 16 members', [{ over: 'bare' }], {
  servers: ['ours', 'bare'],
  chats: CHATS.manySenders,
  senders: 16,
  inFlight: 16,
  windowMs: 2_000,
});

/** One sender, a thousand listeners. */
export const fanOut = loadPhase(
  'Fan-out to 1 000 members',
  [{ over: 'bare', atLeast: 0.9 }],
  { servers: ['ours', 'bare'], chats: CHATS.fanOut, senders: 1, inFlight: 4, windowMs: 3_000 },
  'deliveries',
);
