import { type Figure, median } from '../report/figures.js';
import type { CpuShares, Window } from './load-plan.js';
import type { ServerName } from '../targets/servers.js';

/** Above this share of a core the load generator, not the server, may be the bottleneck. */
const GENERATOR_LIMIT = 0.9;
/** Above this share other programs may be the bottleneck. */
const OTHERS_LIMIT = 0.2;

/** Medians of the rounds. Rates are per second, latencies in milliseconds. */
export interface LoadSummary {
  readonly acks: number;
  readonly deliveries: number;
  readonly receipts: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpu: CpuShares;
}

/** The measurements of all servers under one kind of load, in every round. */
export class LoadFigures {
  private readonly windows = new Map<ServerName, Window[]>();

  constructor(readonly title: string) {}

  add(server: ServerName, window: Window): void {
    this.windows.set(server, [...(this.windows.get(server) ?? []), window]);
  }

  get servers(): ServerName[] {
    return [...this.windows.keys()].sort();
  }

  median(server: ServerName): LoadSummary {
    const windows = this.windows.get(server)!;
    const of = (value: (window: Window) => number): number => median(windows.map(value))!;
    return {
      acks: of(({ acks, seconds }) => acks / seconds),
      deliveries: of(({ deliveries, seconds }) => deliveries / seconds),
      receipts: of(({ receipts, seconds }) => receipts / seconds),
      p50: of(({ latency }) => latency.p50),
      p99: of(({ latency }) => latency.p99),
      cpu: {
        server: of(({ cpu }) => cpu.server),
        postgres: of(({ cpu }) => cpu.postgres),
        generator: of(({ cpu }) => cpu.generator),
        others: of(({ cpu }) => cpu.others),
      },
    };
  }

  /** Warnings about servers for which something else may have been the bottleneck. */
  get warnings(): string[] {
    return this.servers.flatMap((server) => {
      const { generator, others } = this.median(server).cpu;
      const say = (who: string, share: number): string =>
        `${this.title}, ${server}: ${who} used ${share.toFixed(2)} cores`;
      return [
        ...(generator > GENERATOR_LIMIT ? [say('the generator', generator)] : []),
        ...(others > OTHERS_LIMIT ? [say('other programs', others)] : []),
      ];
    });
  }

  toJSON(): object {
    return { title: this.title, servers: Object.fromEntries(this.servers.map((name) => [name, this.median(name)])) };
  }
}

/** The results of a phase. */
export interface Measured {
  readonly figures: readonly Figure[];
  readonly loads: readonly LoadFigures[];
}
