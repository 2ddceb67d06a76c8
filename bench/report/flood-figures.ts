import { type Act, ACTS, type Samples } from '../load/bystanders.js';
import { type FloodKind, type FloodReport, FLOODS } from '../load/flood-kinds.js';
import { Figure, type Target } from './figures.js';
import { format } from './report.js';

/** Where a flood goes: beside the application, or to it. */
export type Side = 'bare port' | 'ours';

/** What was measured beside one flood. */
export interface FloodMeasurement {
  readonly samples: Samples;
  readonly report: FloodReport;
  /** Shares of one core. */
  readonly cpu: {
    readonly server: number;
    readonly flood: number;
    readonly bystanders: number;
    readonly others: number;
  };
  /** In MB, more than before. */
  readonly memory: { readonly now: number; readonly most: number };
}

const MAX_RATIO = 2;
const MAX_MEMORY_MB = 100;

/** The figures of one kind of flood. */
export class FloodFigures {
  private readonly p99: Readonly<Record<Act, Figure>>;
  private readonly refused: Figure;
  private readonly memory: Figure;
  private readonly memoryAfter: Figure;
  private readonly sent: Figure;
  private readonly handshakes: Figure;
  private readonly cpu: Readonly<Record<keyof FloodMeasurement['cpu'], Figure>>;

  constructor(kind: FloodKind) {
    const { title, rate } = FLOODS[kind];
    const figure = (what: string, unit: string, ...targets: Target[]) => new Figure(`${title}: ${what}`, unit, targets);
    const p99 = (act: Act) => figure(`${act}, p99`, 'ms', { over: 'bare port', atMost: MAX_RATIO });
    const cpu = (who: string) => figure(`CPU of ${who}`, 'cores');
    this.p99 = {
      'new socket': p99('new socket'),
      'new plain WebSocket': p99('new plain WebSocket'),
      send: p99('send'),
      'GET /chats': p99('GET /chats'),
    };
    this.refused = figure('refused, in all rounds', 'acts', { atMost: 0 });
    this.memory = figure('memory at the most', 'MB more', { atMost: MAX_MEMORY_MB });
    this.memoryAfter = figure('memory afterwards', 'MB more', { atMost: MAX_MEMORY_MB });
    this.sent = figure(`sent, of ${format(rate)}`, 'a second');
    this.handshakes = figure('handshakes tried', 'a second');
    this.cpu = {
      server: cpu('the server'),
      flood: cpu('the flood'),
      bystanders: cpu('the bystanders'),
      others: cpu('other programs'),
    };
  }

  add(round: number, side: Side, { samples, report, cpu, memory }: FloodMeasurement): void {
    for (const act of ACTS) this.p99[act].add(round, side, quantile(samples.times[act], 0.99));
    this.refused.add(0, side, (this.refused.median(side) ?? 0) + samples.refusals.length);
    this.memory.add(round, side, memory.most);
    this.memoryAfter.add(round, side, memory.now);
    this.sent.add(round, side, report.sent);
    this.handshakes.add(round, side, report.handshakes);
    for (const who of ['server', 'flood', 'bystanders', 'others'] as const) this.cpu[who].add(round, side, cpu[who]);
    for (const reason of new Set(samples.refusals.slice(0, 5))) {
      console.log(`Round ${round + 1}, ${side}, ${this.refused.title}: ${reason}`);
    }
  }

  /** The figures with a target. */
  get judged(): Figure[] {
    return [...Object.values(this.p99), this.refused, this.memory, this.memoryAfter];
  }

  /** The figures without one. */
  get told(): Figure[] {
    return [this.sent, this.handshakes, ...Object.values(this.cpu)];
  }
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * part) - 1] ?? NaN;
}
