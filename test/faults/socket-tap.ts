import { type Manager, Socket } from 'socket.io-client';

/** A listener to all that goes over the sockets of one origin, as it comes, before their owner has it. */
export interface SocketTap {
  opened(): void;
  closed(): void;
  event(name: string, payload: any): void;
  /** `id` is that of the ack, which has it, too. */
  command(id: number, name: string, payload: any): void;
  ack(id: number, answer: any): void;
}

/** A packet of Socket.IO, decoded. */
interface Packet {
  readonly type: number;
  readonly id?: number;
  readonly data?: any;
}

const [CONNECT, EVENT, ACK] = [0, 2, 3];

const taps = new Map<string, SocketTap>();
const tapped = new WeakSet<Manager>();
const sockets = Socket.prototype as { connect: (this: Socket) => Socket };
const { connect } = sockets;

/** Taps the sockets that will connect to this origin. */
export function tapSockets(origin: string, tap: SocketTap): void {
  taps.set(origin, tap);
  sockets.connect = function () {
    const tapOfSocket = taps.get((this.io as unknown as { uri: string }).uri);
    if (tapOfSocket && !tapped.has(this.io)) attach(this, tapOfSocket);
    return connect.call(this);
  };
}

/** Its owner can't take the tap away: it listens to the manager, and to what goes out. */
function attach(socket: Socket, tap: SocketTap): void {
  tapped.add(socket.io);
  const manager = socket.io as unknown as { on(event: string, listener: (packet: Packet) => void): void };
  manager.on('packet', ({ type, id, data }) => {
    if (type === CONNECT) tap.opened();
    if (type === EVENT) tap.event(data[0] as string, data[1]);
    if (type === ACK) tap.ack(id!, data[0]);
  });
  manager.on('close', () => tap.closed());
  // All commands of the client ask for an ack, and Socket.IO numbers these from 0.
  let next = 0;
  socket.onAnyOutgoing((name: string, payload: unknown) => tap.command(next++, name, payload));
}
