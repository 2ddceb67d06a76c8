import type { RealtimeOptions } from '../realtime.options.js';
import type { BacklogTotals } from './backlog-totals.js';
import { cut, type EngineConnection, type EngineTransport } from './engine-connection.js';

/** The reason of such a disconnect, in the log and in the metrics. */
export const SLOW_CONSUMER = 'slow_consumer';

/** What waits counts towards the totals from this size on, in bytes. A client that keeps up is below it. */
const COUNTED_FROM = 16 * 1024;

/**
 * Counts what waits for one client, and cuts the connection of a slow consumer, whose client reads more slowly than the
 * server sends. `coalesceWrites` makes one for each connection. Nothing in Socket.IO bounds this: one stalled client of
 * a busy group would take memory until its heartbeat is missed (socketio/engine.io#420). After the cut, the client
 * library connects again by itself, and the client calls `sync`.
 *
 * Packets wait in two places: in `writeBuffer` of the connection, and then in the transport, to which a flush hands all
 * of them over. States:
 * - *keeping up*: the transport is writable whenever a flush is due; nothing is counted;
 * - *behind*: the transport is busy. `check` adds the new packets of `writeBuffer` to the count;
 * - *cut*: more than the bound was waiting.
 *
 * Invariants: a packet is counted once. A count never outlives its `writeBuffer`: each flush begins at zero. What waits
 * is part of `BacklogTotals` until the client has read it or the connection has closed.
 */
export class Backlog {
  /** The user of the connection; `coalesceWrites` sets it when the socket joins. */
  userId: number | undefined;
  /** How many packets the last flush handed to the transport, which has not drained since. */
  private handedOver = 0;
  /** Of polling: the response that the last flush has filled. */
  private response: EngineTransport['res'];
  /** How many packets of `writeBuffer` have been counted, and their bytes. */
  private counted = 0;
  private countedBytes = 0;

  constructor(
    private readonly connection: EngineConnection,
    private readonly bound: RealtimeOptions['maxBacklog'],
    private readonly totals: BacklogTotals,
  ) {
    this.watchTransport();
    connection.once('close', () => totals.remove(this));
    connection.on('upgrade', () => this.watchTransport());
  }

  /** Notes that a flush hands `writeBuffer` to the transport now. */
  handOver(): void {
    const { writeBuffer, transport } = this.connection;
    this.handedOver = writeBuffer.length;
    this.counted = this.countedBytes = 0;
    this.response = transport.res;
    this.response?.once('close', () => this.count());
  }

  /** Sets what waits as the share of the totals. Call it when the kernel has taken what it could of a flush. */
  count(): void {
    const bytes = this.connection.readyState === 'closed' ? 0 : this.bytes;
    if (bytes >= COUNTED_FROM) this.totals.set(this, bytes);
    else this.totals.remove(this);
  }

  /** Cuts the connection. */
  cut(): void {
    this.totals.remove(this);
    cut(this.connection, SLOW_CONSUMER);
  }

  /**
   * Cuts the connection if more than the bound waits. Call it while the transport is busy. It reads new packets only.
   */
  check(): void {
    const { writeBuffer } = this.connection;
    for (; this.counted < writeBuffer.length; this.counted++) {
      const { data = '', options } = writeBuffer[this.counted]!;
      for (const part of options.wsPreEncodedFrame ?? [data]) this.countedBytes += Buffer.byteLength(part);
    }
    const packets = this.handedOver + writeBuffer.length;
    if (packets > this.bound.packets || this.bytes > this.bound.bytes) this.cut();
    else this.count();
  }

  /** The bytes that wait: in the transport, and in `writeBuffer` as far as they are counted. */
  private get bytes(): number {
    const { socket } = this.connection.transport;
    return (socket?.bufferedAmount ?? this.response?.writableLength ?? 0) + this.countedBytes;
  }

  /**
   * `ws` answers a client's pings below Engine.IO, even if the client reads no answer. So each ping checks the bound.
   */
  private watchTransport(): void {
    const { transport } = this.connection;
    transport.socket?.on('ping', () => this.check());
    // The connection's own `drain` comes before the kernel has taken anything.
    transport.on('drain', () => {
      this.handedOver = 0;
      this.count();
    });
  }
}
