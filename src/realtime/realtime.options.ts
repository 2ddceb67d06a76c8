import { Inject } from '@nestjs/common';

/** The limits and times of sockets. Tests override them; no deployment needs to, so they are not settings. */
export interface RealtimeOptions {
  /**
   * The most connections that may have passed the handshake and not yet joined the namespace. At 2,000 new connections
   * a second, 1,000 allow for a round trip of 0.5 s.
   */
  readonly maxPending: number;
  /** How long a connection may be without a joined socket, in milliseconds. */
  readonly joinTimeoutMs: number;
  /**
   * The most packets that one connection may send in a window: twice what `COMMAND_LIMITS` allow in 5 s. A packet
   * counts once for every 4 KiB that it has begun.
   */
  readonly maxPackets: number;
  /**
   * The bounds of one address, over all its connections: how many may be open, and be open without having joined; how
   * many may begin, and how many packets they may send, in a window of `windowMs`. Five hundred people behind one
   * address fit.
   */
  readonly address: {
    readonly connections: number;
    readonly pending: number;
    readonly handshakes: number;
    readonly packets: number;
    readonly windowMs: number;
    /**
     * How long the refusal of a handshake beyond a bound is held back, in milliseconds: what connects again as soon as it
     * is refused would otherwise cost a handshake for each round trip.
     */
    readonly refusalDelayMs: number;
  };
  /** How often the server pings a client, and how long the client has to answer, in milliseconds. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** How long a client has to answer `auth:expired`, in milliseconds. */
  readonly expiryGraceMs: number;
  /**
   * The most that may wait for one client and that the kernel has not taken. A `sync` of 200 long messages must fit.
   */
  readonly maxBacklog: {
    readonly packets: number;
    readonly bytes: number;
    /** The most bytes that may wait for all clients of one user, and for all clients of this node. */
    readonly userBytes: number;
    readonly nodeBytes: number;
  };
}

const MIB = 1024 * 1024;

export const DEFAULT_REALTIME_OPTIONS: RealtimeOptions = {
  maxPending: 1_000,
  joinTimeoutMs: 5_000,
  maxPackets: 1_000,
  address: {
    connections: 1_000,
    pending: 100,
    handshakes: 300,
    packets: 10_000,
    windowMs: 5_000,
    refusalDelayMs: 1_000,
  },
  pingIntervalMs: 25_000,
  pingTimeoutMs: 20_000,
  expiryGraceMs: 30_000,
  maxBacklog: { packets: 10_000, bytes: 4 * MIB, userBytes: 16 * MIB, nodeBytes: 256 * MIB },
};

/** The provider's token; classes inject it with `InjectRealtimeOptions`. */
export const REALTIME_OPTIONS = Symbol('RealtimeOptions');

/** Injects the `RealtimeOptions` into a constructor. */
export const InjectRealtimeOptions = (): ParameterDecorator => Inject(REALTIME_OPTIONS);
