import { Inject } from '@nestjs/common';

/** Bounds of sockets that no deployment needs to change, and tests do. */
export interface RealtimeOptions {
  /** Connections that may be between the handshake and the namespace. At 2,000 a second that is a round trip of 0.5 s. */
  readonly maxPending: number;
  /** How often a client is pinged, and how long it has to answer, in milliseconds. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** How long a client has to answer `auth:expired`, in milliseconds. */
  readonly expiryGraceMs: number;
  /** What one connection may have waiting that the kernel has not taken. A `sync` of 200 long messages must fit in. */
  readonly maxBacklog: { readonly packets: number; readonly bytes: number };
}

export const DEFAULT_REALTIME_OPTIONS: RealtimeOptions = {
  maxPending: 1_000,
  pingIntervalMs: 25_000,
  pingTimeoutMs: 20_000,
  expiryGraceMs: 30_000,
  maxBacklog: { packets: 10_000, bytes: 4 * 1024 * 1024 },
};

export const REALTIME_OPTIONS = Symbol('RealtimeOptions');

export const InjectRealtimeOptions = (): ParameterDecorator => Inject(REALTIME_OPTIONS);
