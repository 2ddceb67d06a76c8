import { Bystanders } from '../load/bystanders.js';
import { FLOOD_KINDS, type FloodKind } from '../load/flood-kinds.js';
import type { Measured } from '../load/load-figures.js';
import { pause } from '../load/send-run.js';
import { FloodFigures, type FloodMeasurement, type Side } from '../report/flood-figures.js';
import { BenchTarget, type BenchContext } from '../targets/bench-target.js';
import { interleaved } from '../targets/bench-targets.js';
import { CpuMeter, secondsOf } from '../targets/cpu.js';
import { tokenOf } from '../targets/dataset.js';
import { Flooder } from '../targets/flooder.js';
import { MemoryMeter } from '../targets/memory-meter.js';
import { PROGRAMS, Server } from '../targets/servers.js';

/** Of each act. */
const SAMPLES = 1_000;
/** The bystanders. Each has a chat with their own id. */
const USER_IDS = Array.from({ length: 20 }, (_, i) => i + 1);
/** The account of the flood. */
const ATTACKER = USER_IDS.length + 1;
/** How long a flood runs before the first sample, and how long the node has afterwards, in milliseconds. */
const BEFORE_MS = 1_000;
const AFTER_MS = 1_500;

/**
 * Measures what bystanders at other addresses meet while one address floods the application, against the same flood of a
 * bare port on the same machine. The application has its default settings.
 */
export async function floods(bench: BenchContext, rounds: number): Promise<Measured> {
  const settings = { RATE_LIMIT: 'on', LOG_LEVEL: 'info' };
  const chats = USER_IDS.map((id) => ({ id, type: 'group' as const, memberIds: [id] }));
  const ours = await BenchTarget.start('ours', { users: ATTACKER, chats }, bench, [], settings);
  const bare = await Server.start(PROGRAMS.port, {}, bench.folder);
  await beside('idle', 'bare port', ours, bare); // To warm up.
  const measured = new Map(FLOOD_KINDS.map((kind) => [kind, new FloodFigures(kind)]));
  await interleaved(FLOOD_KINDS, rounds, async (kind, round) => {
    for (const side of ['bare port', 'ours'] as const) {
      measured.get(kind)!.add(round, side, await beside(kind, side, ours, bare));
    }
  });
  await bare.stop();
  await ours.stop();
  const figures = [...measured.values()];
  return { figures: [...figures.flatMap(({ judged }) => judged), ...figures.flatMap(({ told }) => told)], loads: [] };
}

/** Takes the samples beside one flood. */
async function beside(kind: FloodKind, side: Side, ours: BenchTarget, bare: Server): Promise<FloodMeasurement> {
  // With new tokens each time: the application lets none live for longer than a quarter of an hour.
  const users = USER_IDS.map((id) => ({ token: tokenOf(id), chatId: id, address: `127.0.1.${id}` }));
  const bystanders = await Bystanders.connect(ours.server.port, users);
  const memory = new MemoryMeter(ours.server.pid);
  const flooder = new Flooder((side === 'ours' ? ours.server : bare).port, kind, ATTACKER);
  await pause(BEFORE_MS);
  const meter = new CpuMeter(ours.watched);
  const start = { at: performance.now(), flood: secondsOf(flooder.pid), bare: secondsOf(bare.pid) };
  const samples = await bystanders.sample(SAMPLES);
  const { generator, server, others } = meter.shares();
  const seconds = (performance.now() - start.at) / 1_000;
  const flood = (secondsOf(flooder.pid) - start.flood) / seconds;
  const barePort = (secondsOf(bare.pid) - start.bare) / seconds;
  const report = await flooder.end();
  bystanders.close();
  await pause(AFTER_MS);
  const cpu = { bystanders: generator, server, flood, others: Math.max(0, others - flood - barePort) };
  return { samples, report, cpu, memory: memory.end() };
}
