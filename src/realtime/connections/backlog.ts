import type { RealtimeOptions } from '../realtime.options.js';
import { cut, type EngineConnection } from './engine-connection.js';

/** Why such a connection is closed, in the log and in the metrics. */
export const SLOW_CONSUMER = 'slow_consumer';

/**
 * What waits for a client that doesn't read as fast as it is told. Nothing in Socket.IO bounds that: one stalled client
 * of a busy group would take memory until its heartbeat is missed (socketio/engine.io#420). Beyond the bound it is cut; the
 * client library connects again by itself, and the client asks for what it lacks with `sync`.
 */
export class Backlog {
  /** The packets that were handed to the transport last. */
  private handedOver = 0;
  /** Of those that wait for the next flush: how many have been looked at, and their bytes. */
  private counted = 0;
  private countedBytes = 0;

  constructor(
    private readonly connection: EngineConnection,
    private readonly bound: RealtimeOptions['maxBacklog'],
  ) {
    this.watchPings();
    connection.on('upgrade', () => this.watchPings());
  }

  /** What waits is handed to the transport now. */
  handOver(): void {
    this.handedOver = this.connection.writeBuffer.length;
    this.counted = this.countedBytes = 0;
  }

  /** Cuts the connection when too much waits. For one whose transport is still busy; a call looks at new packets only. */
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

  /** The pings of a client are answered below Engine.IO, whether it reads the answers or not. */
  private watchPings(): void {
    this.connection.transport.socket?.on('ping', () => this.check());
  }
}
