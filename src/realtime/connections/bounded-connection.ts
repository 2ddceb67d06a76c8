import type { RawData } from 'ws';
import { cut, type EngineConnection, type EngineTransport } from './engine-connection.js';

/** A packet counts once for every part of this size that it has begun, in bytes. */
const COUNTED_BYTES = 4_096;

/** An event that is no command counts for so many packets: no client needs it. */
const UNKNOWN_WEIGHT = 10;

/** Why a connection was cut, in the log. `no_socket`: it has not joined in time, or did not end with its socket. */
export type CutReason = 'packet_limit' | 'second_connect' | 'no_socket';

/** What `ConnectionBoundsService` gives each connection. */
interface Bounds {
  readonly address: string;
  readonly joinTimeoutMs: number;
  readonly maxPackets: number;
  readonly windowMs: number;
  /** Counts packets for the address of the connection. Returns whether the address is within its bound. */
  countPackets(packets: number): boolean;
  /** Called once, when the socket joins. */
  onJoin(): void;
  /** Called once, when the connection has closed. `isPending`: its socket had not joined. */
  onClose(isPending: boolean): void;
  /** Called once, when the connection is cut for one of these reasons. */
  onCut(reason: CutReason): void;
}

/**
 * Holds one connection to its bounds, by every transport: it joins one namespace once and in time, it ends with its
 * socket, and it sends no more packets than clients need. Everything that arrives counts: commands, unknown events,
 * CONNECT packets, heartbeats, binary, and the control frames of WebSockets.
 *
 * States:
 * - *pending*: the handshake is done, and the socket has not joined. A timer runs;
 * - *joined*: the socket has joined the namespace;
 * - *leaving*: the CONNECT was refused, or the socket has disconnected. The connection closes after its last packets
 *   are written. The timer runs again, as polling could wait for half a minute;
 * - *closed*.
 *
 * pending, leaving → closed by the timer, and any → closed beyond the packets: the connection is cut.
 */
export class BoundedConnection {
  private isPending = true;
  private hasConnect = false;
  private packets = 0;
  private windowEnd = 0;
  private timer: NodeJS.Timeout;

  constructor(
    private readonly connection: EngineConnection,
    private readonly bounds: Bounds,
  ) {
    this.startTimer();
    // Engine.IO emits `packet` before it handles the packet.
    connection.on('packet', (packet: { type: string; data?: unknown }) => this.onPacket(packet));
    connection.once('close', () => this.closed());
    this.watch(connection.transport);
    connection._maybeUpgrade = (transport) => {
      this.watch(transport);
      (Object.getPrototypeOf(connection) as EngineConnection)._maybeUpgrade.call(connection, transport);
    };
  }

  get address(): string {
    return this.bounds.address;
  }

  /** The socket has joined the namespace. */
  join(): void {
    this.isPending = false;
    clearTimeout(this.timer);
    this.bounds.onJoin();
  }

  /** The socket was refused or has disconnected: closes the connection after what is left to write. */
  leave(): void {
    if (this.connection.readyState === 'closed') return;
    this.connection.close();
    this.startTimer();
  }

  private closed(): void {
    clearTimeout(this.timer);
    this.bounds.onClose(this.isPending);
  }

  private startTimer(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.cut('no_socket'), this.bounds.joinTimeoutMs).unref();
  }

  private onPacket({ type, data }: { type: string; data?: unknown }): void {
    if (type === 'message' && typeof data === 'string' && data.startsWith(CONNECT)) this.onConnect(data);
  }

  private onConnect(packet: string): void {
    if (this.hasConnect) return this.cut('second_connect');
    this.hasConnect = true;
    // There is one namespace. Socket.IO refuses any other right after this, and would keep the connection.
    if (isForeignNamespace(packet)) setImmediate(() => this.leave());
  }

  /** Counts the packets of a transport before Engine.IO decodes them. */
  private watch(transport: EngineTransport): void {
    if (transport.name === 'polling') {
      transport.onData = (body) => {
        this.countBody(body);
        if (this.connection.readyState === 'closed') return;
        (Object.getPrototypeOf(transport) as EngineTransport).onData.call(transport, body);
      };
    }
    transport.socket
      ?.on('message', (data: RawData) => this.count((data as Buffer).length))
      .on('ping', () => this.count(0))
      .on('pong', () => this.count(0));
  }

  /** Counts the packets in a body of polling, up to the one for which the connection is cut. */
  private countBody(body: string): void {
    for (let start = 0; start <= body.length && this.connection.readyState !== 'closed';) {
      const next = body.indexOf(SEPARATOR, start);
      const end = next < 0 ? body.length : next;
      this.count(Buffer.byteLength(body.slice(start, end)));
      start = end + 1;
    }
  }

  /** Counts an event that is no command, whose packet has been counted already. */
  countUnknown(): void {
    this.add(UNKNOWN_WEIGHT - 1);
  }

  private count(bytes: number): void {
    this.add(1 + Math.floor(bytes / COUNTED_BYTES));
  }

  private add(weight: number): void {
    const now = performance.now();
    if (now >= this.windowEnd) {
      this.windowEnd = now + this.bounds.windowMs;
      this.packets = 0;
    }
    this.packets += weight;
    if (this.packets > this.bounds.maxPackets || !this.bounds.countPackets(weight)) this.cut('packet_limit');
  }

  private cut(reason: CutReason): void {
    if (this.connection.readyState === 'closed') return;
    this.bounds.onCut(reason);
    cut(this.connection, reason);
  }
}

/** The type of a CONNECT packet in Socket.IO's protocol. */
const CONNECT = '0';

/** What is between two packets in a body of polling. */
const SEPARATOR = '\x1e';

/** Whether a CONNECT packet, `0/name?query,{…}`, names another namespace than the default one. */
function isForeignNamespace(packet: string): boolean {
  if (packet.charAt(1) !== '/') return false;
  const [name] = packet.slice(1).split(/[,?]/, 1);
  return name !== '/';
}
