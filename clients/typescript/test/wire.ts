import type { SyncRequest } from '../../../src/contract/sync.js';
import type { Client } from '../src/client.js';
import { scopeOf } from './clients.js';

/** Further ahead than a cursor may be: the server answers with a reset. */
const AHEAD = 10_000;

/** What lies between a client and its socket: it changes what is sent and heard. */
export class Wire {
  /** Called with each event, and with the command of each answer. `pass` lets it through, also later or twice. */
  onHeard: (what: string, pass: () => void) => void = (_, pass) => pass();
  /** The next `sync` asks as if the server had been put back to an earlier day, so it is answered with resets. */
  isResetting = false;

  constructor(client: Client) {
    const { socket } = scopeOf(client).connection;
    const emit = socket.emit.bind(socket);
    const onEvent = socket.onevent.bind(socket);
    /** What belongs to an earlier connection is no longer heard. */
    const pass = (what: string, deliver: () => void): void => {
      const { id } = socket;
      this.onHeard(what, () => socket.id === id && deliver());
    };
    socket.emit = (command: string, payload: object, answer: (ack: unknown) => void) =>
      emit(command, this.sent(command, payload), (ack: unknown) => pass(command, () => answer(ack)));
    socket.onevent = (packet: { data: [string, object] }) => pass(packet.data[0], () => onEvent(packet));
  }

  /** Lets everything through again. What was to come late is lost. */
  hearAgain(): void {
    this.onHeard = (_, pass) => pass();
  }

  /** The next thing that is heard gets lost, comes twice, or comes only after `count` others. */
  mishear(fault: 'lose' | 'twice' | 'late', count: number): void {
    this.onHeard = (_, pass) => {
      this.hearAgain();
      if (fault === 'late') this.hearAfter(pass, count);
      if (fault !== 'twice') return;
      pass();
      pass();
    };
  }

  private hearAfter(late: () => void, count: number): void {
    let left = count;
    this.onHeard = (_, pass) => {
      pass();
      left -= 1;
      if (left > 0) return;
      this.hearAgain();
      late();
    };
  }

  private sent(command: string, payload: object): object {
    if (command !== 'sync' || !this.isResetting) return payload;
    this.isResetting = false;
    const { cursors, ...rest } = payload as SyncRequest;
    const moved = Object.entries(cursors).map(([id, cursor]) => [id, { ...cursor, seq: cursor.seq + AHEAD }]);
    return { cursors: Object.fromEntries(moved) as object, ...rest };
  }
}
