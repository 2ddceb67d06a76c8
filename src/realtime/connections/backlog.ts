import type { RealtimeOptions } from '../realtime.options.js';
import { cut, type EngineConnection } from './engine-connection.js';

/** The reason of such a disconnect, in the log and in the metrics. */
export const SLOW_CONSUMER = 'slow_consumer';

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
 * Invariants: a packet is counted once. A count never outlives its `writeBuffer`: each flush begins at zero.
 */
export class Backlog {
  /** How many packets the last flush handed to the transport. */
  private handedOver = 0;
  /** How many packets of `writeBuffer` have been counted, and their bytes. */
  private counted = 0;
  private countedBytes = 0;

  constructor(
    private readonly connection: EngineConnection,
    private readonly bound: RealtimeOptions['maxBacklog'],
  ) {
    this.watchPings();
    connection.on('upgrade', () => this.watchPings());
  }

  /** Notes that a flush hands `writeBuffer` to the transport now. */
  handOver(): void {
    this.handedOver = this.connection.writeBuffer.length;
    this.counted = this.countedBytes = 0;
  }

  /**
   * Cuts the connection if more than the bound waits. Call it while the transport is busy. It reads new packets only.
   */
  check(): void {
    const { writeBuffer, transport } = this.connection;
    for (; this.counted < writeBuffer.length; this.counted++) {
      const { data = '', options } = writeBuffer[this.counted]!;
      for (const part of options.wsPreEncodedFrame ?? [data]) this.countedBytes += Buffer.byteLength(part);
    }
    const packets = this.handedOver + writeBuffer.length;
    const bytes = (transport.socket?.bufferedAmount ?? 0) + this.countedBytes;
    if (packets > this.bound.packets || bytes > this.bound.bytes) cut(this.connection, SLOW_CONSUMER);
  }

  /**
   * `ws` answers a client's pings below Engine.IO, even if the client reads no answer. So each ping checks the bound.
   */
  private watchPings(): void {
    this.connection.transport.socket?.on('ping', () => this.check());
  }
}
