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

/** What a client's frame comes to: a packet for Socket.IO, or an answer at once. */
type Translated = { readonly packet: string } | { readonly answer: string };

/** A command whose ack is still to come. */
interface UnderWay {
  readonly type: string;
  readonly key: unknown;
}

/** How an event ends the connection, should the server close it after it. */
const CLOSE_REASONS: Readonly<Record<string, CloseReason>> = {
  'auth:expired': closeReasonOf('token_expired'),
  'session:revoked': closeReasonOf('unauthorized'),
};

/**
 * Between the frames of one plain client and the packets of Socket.IO's protocol, as text on both sides. It remembers
 * only the commands under way: every one of them is acked, and an accepted message or read leads to one frame.
 */
export class PlainTranslator {
  /** How the connection ends when it is closed now. */
  closeReason = GOING_AWAY;
  /** Whether what was translated last ends the connection. */
  ended = false;

  private lastId = 0;
  private readonly underWay = new Map<number, UnderWay>();
  private readsUnderWay = 0;
  /** The receipts that went out while a read was under way: one of them may be its answer. */
  private receipts: string[] = [];

  /** `chatId`: the one chat the connection is about; undefined for all of the user's. */
  constructor(private readonly chatId: number | undefined) {}

  /** What a frame of the client comes to. */
  fromClient(text: string): Translated {
    let frame: ClientFrame | undefined;
    try {
      frame = parseFrame(text);
      return frame.type === 'ping' ? { answer: PONG } : { packet: this.commandPacket(frame) };
    } catch (error) {
      return { answer: errorFrame(toCommandError(toAppError(error)), frame?.client_message_id) };
    }
  }

  /** The frame for a packet of Socket.IO; undefined for one that a plain client has no use for. */
  toClient(packet: string): string | undefined {
    switch (packet.charAt(0)) {
      case PACKET.event:
        return this.event(packet);
      case PACKET.ack:
        return this.answer(packet);
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

  /** Ends the connection so. */
  end(farewell: CloseReason): void {
    this.closeReason = farewell;
    this.ended = true;
  }

  private commandPacket(frame: ClientFrame): string {
    const { type, event, payload } = toCommand(frame, this.chatId);
    const id = (this.lastId += 1);
    this.underWay.set(id, { type, key: frame.client_message_id });
    if (type === 'read') this.readsUnderWay += 1;
    return `${PACKET.event}${id}${JSON.stringify([event, payload])}`;
  }

  /** Of `2["event",{…}]`: the payload is cut out as it stands, so that no message is read and written again. */
  private event(packet: string): string | undefined {
    const end = packet.indexOf('"', 3);
    const [event, payload] = [packet.slice(3, end), packet.slice(end + 2, -1)];
    const isElsewhere = this.chatId !== undefined && (chatOf(event, payload) ?? this.chatId) !== this.chatId;
    if (isElsewhere) return undefined;
    this.closeReason = CLOSE_REASONS[event] ?? this.closeReason;
    if (event === 'read_receipt' && this.readsUnderWay > 0) this.receipts.push(payload);
    if (event === 'chat:removed' && this.chatId !== undefined) this.end(closeReasonOf('chat_not_found'));
    return eventFrame(event, payload);
  }

  /** Of `3<id>[{…}]`. An accepted command whose event has told the client so needs no second frame. */
  private answer(packet: string): string | undefined {
    const start = packet.indexOf('[');
    const id = Number(packet.slice(1, start));
    const [ack] = JSON.parse(packet.slice(start)) as [Ack<object, { replayed?: boolean }>];
    const { type, key } = this.underWay.get(id)!;
    this.underWay.delete(id);
    const wasPublished = type === 'read' && this.takeReceipt(ack);
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

  /** Ends a read; whether its receipt has gone out as an event, to be told once for each read. */
  private takeReceipt(ack: Ack<object>): boolean {
    const index = ack.ok ? this.receipts.indexOf(JSON.stringify(ack.data)) : -1;
    if (index >= 0) this.receipts.splice(index, 1);
    this.readsUnderWay -= 1;
    if (this.readsUnderWay === 0) this.receipts = [];
    return index >= 0;
  }
}

/** Of `4{"message":…,"data":{"code":…}}`, as the handshake refuses. */
function refusalCode(packet: string): ErrorCode {
  const { data } = JSON.parse(packet.slice(1)) as { data?: { code: ErrorCode } };
  return data?.code ?? 'internal_error';
}

/** The types of packets in Socket.IO's protocol, revision 5. */
const PACKET = { disconnect: '1', event: '2', ack: '3', refusal: '4' } as const;
