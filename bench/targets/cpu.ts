import { readFileSync } from 'node:fs';
import type { CpuShares, WatchedProcesses } from '../load/load-plan.js';

/** The ticks of /proc/<pid>/stat in a second: USER_HZ, which is 100 on every Linux. */
const TICKS_PER_SECOND = 100;

/** CPU seconds since the start of each process. */
interface Sample extends CpuShares {
  readonly at: number;
}

/** Measures the CPU time of this process, the server, PostgreSQL and the rest, by /proc: no server needs a hook. */
export class CpuMeter {
  private readonly start: Sample;

  constructor(private readonly watched: WatchedProcesses) {
    this.start = sample(watched);
  }

  shares(): CpuShares {
    const end = sample(this.watched);
    const seconds = (end.at - this.start.at) / 1_000;
    const share = (who: keyof CpuShares): number => (end[who] - this.start[who]) / seconds;
    const [generator, server, postgres, all] = [
      share('generator'),
      share('server'),
      share('postgres'),
      share('others'),
    ];
    return { generator, server, postgres, others: Math.max(0, all - generator - server - postgres) };
  }
}

/** Reads the counters. Here `others` is the CPU time of the whole machine. */
function sample({ server, postgres }: WatchedProcesses): Sample {
  const { user, system } = process.cpuUsage();
  return {
    at: performance.now(),
    generator: (user + system) / 1e6,
    server: secondsOf(server),
    postgres: [postgres, ...childrenOf(postgres)].reduce((sum, pid) => sum + secondsOf(pid), 0),
    others: secondsOfMachine(),
  };
}

function secondsOfMachine(): number {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .split(/ +/)
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number, number];
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

/** The CPU time of a process and its ended children, in seconds. */
export function secondsOf(pid: number): number {
  try {
    // User and system time.
    const ticks = fieldsOf(pid)
      .slice(11, 15)
      .reduce((sum, field) => sum + Number(field), 0);
    return ticks / TICKS_PER_SECOND;
  } catch {
    return 0; // A backend that has just ended. Its time is now counted for its parent.
  }
}

/** The fields of /proc/<pid>/stat after the name, which may contain spaces: the state, the parent, … */
const fieldsOf = (pid: number): string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');

/** The process that started this one. */
export const parentOf = (pid: number): number => Number(fieldsOf(pid)[1]);

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}
