import { type Packet, PacketType } from 'socket.io-parser';
import { toAppError } from '../../common/errors/to-app-error.js';
import type { ErrorCode } from '../../contract/errors.js';
import type { Ack } from '../../contract/events.js';
import {
  chatOf,
  type ClientFrame,
  errorFrame,
  eventFrame,
  type CloseReason,
  closeReasonOf,
  GOING_AWAY,
  parseFrame,
  PONG,
  toCommand,
} from './plain-frames.js';
import { toCommandError } from '../commands/socket-error.filter.js';

/** The result for a frame of the client: a packet for Socket.IO, or a frame that answers it without Socket.IO. */
export type Translated = { readonly packet: Packet } | { readonly answer: string };

/** A command that has no ack yet: the `type` and the `client_message_id` of its frame. */
interface UnderWay {
  readonly type: string;
  readonly key: unknown;
}

/** The events after which the server closes the connection, and the close reason to use then. */
const CLOSE_REASONS: Readonly<Record<string, CloseReason>> = {
  'auth:expired': closeReasonOf('token_expired'),
  'session:revoked': closeReasonOf('unauthorized'),
};

/**
 * Translates the frames of one plain client into packets for Socket.IO's decoder, and its packets, as text, into frames.
 * `PlainTransport` makes one for each connection, and closes the connection as `ended` and `closeReason` say.
 *
 * States of the connection:
 * - *live*: frames and packets are translated. `closeReason` is how the connection would be closed now: 1001; 4401
 *   after `auth:expired`, until a new token is accepted; 4401 after `session:revoked`;
 * - *ended*: the transport translates no more packets, and closes the connection.
 *
 * live → ended: Socket.IO refuses the handshake or disconnects the socket, the user leaves the connection's one chat
 * (`chat:removed`), or the transport calls `end`.
 *
 * A command is *under way* from its frame to its ack; every command is acked. Nothing else is remembered, except
 * receipts while a read is under way.
 *
 * Invariant: an accepted message or read leads to exactly one frame for the client. A new message leads to its event,
 * and a repeated one to its ack. A read leads to its receipt: to the event if there is one, else to the ack. The ack of
 * a read doesn't say which, so the receipts are compared with it.
 */
export class PlainTranslator {
  /** How the connection is closed if it is closed now. */
  closeReason = GOING_AWAY;
  /** Whether the last translated packet ends the connection. */
  ended = false;

  private lastId = 0;
  private readonly underWay = new Map<number, UnderWay>();
  private readsUnderWay = 0;
  /** The receipts that were sent while a read was under way. One of them may be that of the read. */
  private receipts: string[] = [];

  /** `chatId`: the one chat that the connection is about; undefined for all chats of the user. */
  constructor(private readonly chatId: number | undefined) {}

  /** Translates a frame of the client. A bad frame is answered with an error frame. */
  fromClient(text: string): Translated {
    let frame: ClientFrame | undefined;
    try {
      frame = parseFrame(text);
      return frame.type === 'ping' ? { answer: PONG } : { packet: this.commandPacket(frame) };
    } catch (error) {
      return { answer: errorFrame(toCommandError(toAppError(error)), frame?.client_message_id) };
    }
  }

  /** The frame for a packet of Socket.IO; undefined if the packet leads to no frame. */
  toClient(packet: string): string | undefined {
    switch (packet.charAt(0)) {
      case PACKET.event:
        return this.translateEvent(packet);
      case PACKET.ack:
        return this.translateAck(packet);
      case PACKET.refusal:
        this.end(closeReasonOf(refusalCode(packet)));
        return undefined;
      case PACKET.disconnect:
        this.end(this.closeReason);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Ends the connection for this reason. */
  end(reason: CloseReason): void {
    this.closeReason = reason;
    this.ended = true;
  }

  private commandPacket(frame: ClientFrame): Packet {
    const { type, event, payload } = toCommand(frame, this.chatId);
    const id = (this.lastId += 1);
    this.underWay.set(id, { type, key: frame.client_message_id });
    if (type === 'read') this.readsUnderWay += 1;
    return { type: PacketType.EVENT, nsp: '/', id, data: [event, payload] };
  }

  /**
   * Translates `2["event",{…}]`. The JSON of the payload is copied, so that no message is parsed and serialized again.
   */
  private translateEvent(packet: string): string | undefined {
    const end = packet.indexOf('"', 3);
    const [event, payload] = [packet.slice(3, end), packet.slice(end + 2, -1)];
    const isElsewhere = this.chatId !== undefined && (chatOf(event, payload) ?? this.chatId) !== this.chatId;
    if (isElsewhere) return undefined;
    this.closeReason = CLOSE_REASONS[event] ?? this.closeReason;
    if (event === 'read_receipt' && this.readsUnderWay > 0) this.receipts.push(payload);
    if (event === 'chat:removed' && this.chatId !== undefined) this.end(closeReasonOf('chat_not_found'));
    return eventFrame(event, payload);
  }

  /** Translates `3<id>[{…}]`. An accepted command whose event the client gets leads to no second frame. */
  private translateAck(packet: string): string | undefined {
    const start = packet.indexOf('[');
    const id = Number(packet.slice(1, start));
    const [ack] = JSON.parse(packet.slice(start)) as [Ack<object, { replayed?: boolean }>];
    const { type, key } = this.underWay.get(id)!;
    this.underWay.delete(id);
    const wasPublished = type === 'read' && this.finishRead(ack);
    if (!ack.ok) return errorFrame(ack.error, key);
    switch (type) {
      case 'message':
        return ack.replayed ? JSON.stringify(ack.data) : undefined;
      case 'read':
        return wasPublished ? undefined : JSON.stringify(ack.data);
      case 'auth:refresh':
        this.closeReason = GOING_AWAY;
        return eventFrame(type, JSON.stringify(ack.data));
      default:
        return undefined;
    }
  }

  /** Ends a read. Returns whether its receipt was sent as an event; each such event counts for one read. */
  private finishRead(ack: Ack<object>): boolean {
    const index = ack.ok ? this.receipts.indexOf(JSON.stringify(ack.data)) : -1;
    if (index >= 0) this.receipts.splice(index, 1);
    this.readsUnderWay -= 1;
    if (this.readsUnderWay === 0) this.receipts = [];
    return index >= 0;
  }
}

/** The code in `4{"message":…,"data":{"code":…}}`, the packet for a refused handshake. */
function refusalCode(packet: string): ErrorCode {
  const { data } = JSON.parse(packet.slice(1)) as { data?: { code: ErrorCode } };
  return data?.code ?? 'internal_error';
}

/** The types of packets in Socket.IO's protocol, revision 5. */
const PACKET = { disconnect: '1', event: '2', ack: '3', refusal: '4' } as const;
