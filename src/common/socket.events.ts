import type { Principal } from './principal.js';

/**
 * Domain events of devices that connect and disconnect. `realtime` publishes them, and any feature may listen. The
 * classes are here because features don't import `realtime`.
 */

/** A device has connected: its socket has joined the room of its user and may send commands. */
export class SocketConnected {
  constructor(
    readonly socketId: string,
    readonly principal: Principal,
  ) {}
}

/** A device has disconnected after it had connected. */
export class SocketDisconnected {
  constructor(
    readonly socketId: string,
    readonly principal: Principal,
    /** The reason of Socket.IO, or `slow_consumer`. */
    readonly reason: string,
  ) {}
}
