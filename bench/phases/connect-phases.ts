import { type BenchContext, BenchTarget } from '../targets/bench-target.js';
import { Figure } from '../report/figures.js';
import { Inspector } from '../targets/inspector.js';
import { interleaved, type BenchTargets, settlePause, USER_IDS } from '../targets/bench-targets.js';
import type { Measured } from '../load/load-figures.js';

// How fast connections are opened, and what an idle one costs.

const SERVERS = ['ours', 'bare'] as const;
/** Concurrent handshakes. */
const WINDOW = 64;
const IDLE_SOCKETS = 3_000;
/** Connected once before the first measurement, so that one-time allocations of a server are not counted. */
const WARM_UP_SOCKETS = 1_000;

/** Measures TCP connect, upgrade and Socket.IO handshake of 1 500 users. */
export async function connects(targets: BenchTargets, rounds: number): Promise<Measured> {
  const rate = new Figure('Connects', 'connects/s', [{ over: 'bare', atLeast: 0.6 }]);
  const server = new Figure('Connects: CPU of the server', 'cores');
  const generator = new Figure('Connects: CPU of the generator', 'cores');
  const connectAll = async (name: (typeof SERVERS)[number]) => {
    const result = await targets.of(name).connect(USER_IDS, WINDOW);
    await targets.of(name).disconnect();
    await settlePause();
    return result;
  };
  for (const name of SERVERS) await connectAll(name);
  await interleaved(SERVERS, rounds, async (name, round) => {
    const { seconds, cpu } = await connectAll(name);
    rate.add(round, name, USER_IDS.length / seconds);
    server.add(round, name, cpu.server);
    generator.add(round, name, cpu.generator);
  });
  return { figures: [rate, server, generator], loads: [] };
}

/** Measures the memory of an idle socket. Each measurement uses a fresh process, as memory isn't given back. */
export async function memory(bench: BenchContext, rounds: number): Promise<Measured> {
  const rss = new Figure('Idle socket, resident memory', 'KB', [{ over: 'bare', atMost: 1.3 }]);
  const heap = new Figure('Idle socket, heap', 'KB', [{ over: 'bare' }]);
  const userIds = Array.from({ length: IDLE_SOCKETS }, (_, i) => i + 1);
  await interleaved(SERVERS, rounds, async (name, round) => {
    const flags = ['--inspect=127.0.0.1:0'];
    const target = await BenchTarget.start(name, { users: IDLE_SOCKETS, chats: [] }, bench, flags);
    const inspector = new Inspector(target.server.inspectorUrl!);
    await target.connect(userIds.slice(0, WARM_UP_SOCKETS), WINDOW);
    await target.disconnect();
    await settlePause();
    const before = await inspector.memory();
    await target.connect(userIds, WINDOW);
    await settlePause();
    const after = await inspector.memory();
    rss.add(round, name, (after.rss - before.rss) / IDLE_SOCKETS / 1_000);
    heap.add(round, name, (after.heapUsed - before.heapUsed) / IDLE_SOCKETS / 1_000);
    inspector.close();
    await target.disconnect();
    await target.stop();
  });
  return { figures: [rss, heap], loads: [] };
}
