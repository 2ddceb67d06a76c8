import { Inject } from '@nestjs/common';

/** The limits and times of sockets. Tests override them; no deployment needs to, so they are not settings. */
export interface RealtimeOptions {
  /**
   * The most connections that may have passed the handshake and not yet joined the namespace. At 2,000 new connections
   * a second, 1,000 allow for a round trip of 0.5 s.
   */
  readonly maxPending: number;
  /** How often the server pings a client, and how long the client has to answer, in milliseconds. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** How long a client has to answer `auth:expired`, in milliseconds. */
  readonly expiryGraceMs: number;
  /**
   * The most that may wait for one client and that the kernel has not taken. A `sync` of 200 long messages must fit.
   */
  readonly maxBacklog: { readonly packets: number; readonly bytes: number };
}

export const DEFAULT_REALTIME_OPTIONS: RealtimeOptions = {
  maxPending: 1_000,
  pingIntervalMs: 25_000,
  pingTimeoutMs: 20_000,
  expiryGraceMs: 30_000,
  maxBacklog: { packets: 10_000, bytes: 4 * 1024 * 1024 },
};

/** The provider's token; classes inject it with `InjectRealtimeOptions`. */
export const REALTIME_OPTIONS = Symbol('RealtimeOptions');

/** Injects the `RealtimeOptions` into a constructor. */
export const InjectRealtimeOptions = (): ParameterDecorator => Inject(REALTIME_OPTIONS);
