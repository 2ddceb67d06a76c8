import type { Principal } from './principal.js';

/**
 * Devices that connect and leave, published inside this process. `realtime` publishes them and any feature may listen,
 * so the classes are here: features don't import `realtime`.
 */

/** A device has connected: its socket is in the room of its user and may send commands. */
export class SocketConnected {
  constructor(
    readonly socketId: string,
    readonly principal: Principal,
  ) {}
}

/** Such a device has left. */
export class SocketDisconnected {
  constructor(
    readonly socketId: string,
    readonly principal: Principal,
    /** Socket.IO's, or `slow_consumer`. */
    readonly reason: string,
  ) {}
}
