import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { AppError } from '../../common/errors/app-error.js';
import { networkOf } from '../../common/http/client-address.js';
import { type AppConfig, appConfig } from '../../config/app.config.js';
import { type AddressLoad, NodeBus } from '../delivery/node.bus.js';
import { SlidingWindow } from '../../limits/sliding-window.js';
import { InjectRealtimeOptions, type RealtimeOptions } from '../realtime.options.js';

/** How often the loads of busy addresses are sent to the other nodes, in milliseconds. */
const ANNOUNCE_MS = 1_000;
/** How long a load that another node has announced counts, in milliseconds. */
const ANNOUNCED_FOR_MS = 3 * ANNOUNCE_MS;
/** An address is announced once it has used this part of a bound. */
const BUSY_PART = 1 / 20;
/** The most addresses that are counted separately. All further ones share one count. */
const MAX_ADDRESSES = 100_000;
const OTHERS = 'others';
/** A connection that is cut counts as so many handshakes more: its address would only open the next one. */
const HANDSHAKES_OF_A_CUT = 10;

type Count = keyof AddressLoad;
const COUNTS: readonly Count[] = ['connections', 'pending', 'handshakes', 'packets'];

interface Entry {
  connections: number;
  pending: number;
  readonly handshakes: SlidingWindow;
  readonly packets: SlidingWindow;
}

/**
 * Counts the connections and packets of each address, and holds them to `RealtimeOptions.address`: one client must not
 * take the places of all others. An IPv6 address counts as its /64. Handshakes and packets are counted in a
 * `SlidingWindow` of `windowMs`.
 *
 * Nodes that share a bus share the bounds: each second, each node announces its busy addresses, and the others add what
 * they hear. So an address that uses many nodes at once can exceed a bound for a second.
 *
 * Invariants: an address has an entry only while it has a connection, or has lately sent something. What is refused
 * isn't counted. `RATE_LIMIT=off` switches the bounds off.
 */
@Injectable()
export class AddressRegistry implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(AddressRegistry.name);
  private readonly node = randomUUID();
  private readonly entries = new Map<string, Entry>();
  /** The addresses whose refusal was logged since the last `sweep`. */
  private readonly reported = new Set<string>();
  /** The loads that other nodes have announced: by address, then by node. */
  private readonly elsewhere = new Map<string, Map<string, { load: AddressLoad; until: number }>>();
  private announcing: NodeJS.Timeout | undefined;
  private sweeping: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: NodeBus,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
    @InjectRealtimeOptions() private readonly options: RealtimeOptions,
  ) {}

  onModuleInit(): void {
    this.bus.on('addressLoads', (loads) => {
      const until = performance.now() + ANNOUNCED_FOR_MS;
      for (const { node, address, ...load } of loads) {
        if (!this.elsewhere.has(address)) this.elsewhere.set(address, new Map());
        this.elsewhere.get(address)!.set(node, { load, until });
      }
    });
    this.announcing = setInterval(() => this.announce(), ANNOUNCE_MS).unref();
    this.sweeping = setInterval(() => this.sweep(), this.options.address.windowMs).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.announcing);
    clearInterval(this.sweeping);
  }

  /** Counts a handshake. Returns the refusal, `rate_limited`, when the address has used up a bound. */
  refusalOf(address: string): AppError | undefined {
    const key = this.keyOf(address);
    const bound = COUNTS.find((count) => this.isUsedUp(key, count));
    if (bound === undefined) {
      this.entryOf(key).handshakes.add(1, performance.now());
      return undefined;
    }
    this.report(key, bound);
    // A random delay, so that the clients behind one address don't come back all at once.
    return AppError.rateLimited(
      Math.random() * this.options.address.windowMs,
      'Too many connections from this address.',
    );
  }

  /**
   * Counts a new connection, which has not joined the namespace yet. Returns the key under which it is counted: the
   * network of the address, or the key of all further addresses.
   */
  opened(address: string): string {
    const key = this.keyOf(address);
    const entry = this.entryOf(key);
    entry.connections += 1;
    entry.pending += 1;
    return key;
  }

  /** Takes a connection that has joined the namespace off those that have not. */
  joined(key: string): void {
    this.entryOf(key).pending -= 1;
  }

  /** Takes a closed connection off the counts. `isPending`: it had not joined. */
  closed(key: string, isPending: boolean): void {
    const entry = this.entryOf(key);
    entry.connections -= 1;
    if (isPending) entry.pending -= 1;
  }

  /** Counts a connection that was cut, for what it sent or for want of a joined socket. */
  cut(key: string): void {
    this.entryOf(key).handshakes.add(HANDSHAKES_OF_A_CUT, performance.now());
  }

  /** Counts packets. Returns whether the address is within its bound. */
  countPackets(key: string, packets: number): boolean {
    if (this.isUsedUp(key, 'packets')) {
      this.report(key, 'packets');
      return false;
    }
    this.entryOf(key).packets.add(packets, performance.now());
    return true;
  }

  private isUsedUp(key: string, count: Count): boolean {
    return this.config.rateLimit && this.total(key, count) >= this.options.address[count];
  }

  private total(key: string, count: Count): number {
    const now = performance.now();
    const own = this.entryOf(key)[count];
    let total = typeof own === 'number' ? own : own.count(now);
    for (const { load, until } of this.elsewhere.get(key)?.values() ?? []) if (until > now) total += load[count];
    return total;
  }

  private keyOf(address: string): string {
    const network = networkOf(address);
    return this.entries.has(network) || this.entries.size < MAX_ADDRESSES ? network : OTHERS;
  }

  private entryOf(key: string): Entry {
    let entry = this.entries.get(key);
    if (!entry) {
      const { windowMs } = this.options.address;
      entry = {
        connections: 0,
        pending: 0,
        handshakes: new SlidingWindow(windowMs),
        packets: new SlidingWindow(windowMs),
      };
      this.entries.set(key, entry);
    }
    return entry;
  }

  /** Forgets the addresses that have gone, and those whose refusal was logged. */
  private sweep(): void {
    this.reported.clear();
    for (const [address, entry] of this.entries) {
      const { connections, handshakes, packets } = loadOf(entry);
      if (connections + handshakes + packets === 0) this.entries.delete(address);
    }
  }

  /** Logs one line for each address and `windowMs`. */
  private report(address: string, bound: Count): void {
    if (this.reported.has(address)) return;
    this.reported.add(address);
    this.logger.warn({ event: 'address.limited', address, bound });
  }

  private announce(): void {
    const now = performance.now();
    for (const [address, nodes] of this.elsewhere) {
      for (const [node, { until }] of nodes) if (until <= now) nodes.delete(node);
      if (nodes.size === 0) this.elsewhere.delete(address);
    }
    for (const [address, entry] of this.entries) {
      const load = loadOf(entry);
      const isBusy = COUNTS.some((count) => load[count] >= this.options.address[count] * BUSY_PART);
      if (isBusy) this.bus.send('addressLoads', { node: this.node, address, ...load });
    }
  }
}

function loadOf({ connections, pending, handshakes, packets }: Entry): AddressLoad {
  const now = performance.now();
  return { connections, pending, handshakes: handshakes.count(now), packets: packets.count(now) };
}
