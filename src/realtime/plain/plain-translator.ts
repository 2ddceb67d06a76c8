import { type Packet, PacketType } from 'socket.io-parser';
import { toAppError } from '../../common/errors/to-app-error.js';
import type { ErrorCode } from '../../contract/errors.js';
import type { Ack } from '../../contract/events.js';
import { AnswerMatcher } from './answer-matcher.js';
import {
  answerKey,
  ANSWERS,
  chatOf,
  type ClientFrame,
  errorFrame,
  eventFrame,
  type CloseReason,
  closeReasonOf,
  GOING_AWAY,
  parseFrame,
  pongTo,
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
 * A command is *under way* from its frame to its ack; every command is acked.
 *
 * Invariant: an accepted message, edit, deletion, read or sync leads to exactly one frame for the client. A new message
 * leads to its event, and a repeated one to its ack. An edit, a deletion and a read lead to their event if there is one,
 * else to their ack; `AnswerMatcher` finds that out. A sync leads to its ack.
 */
export class PlainTranslator {
  /** How the connection is closed if it is closed now. */
  closeReason = GOING_AWAY;
  /** Whether the last translated packet ends the connection. */
  ended = false;

  private lastId = 0;
  private readonly underWay = new Map<number, UnderWay>();
  private readonly answers = new AnswerMatcher();

  /** `chatId`: the one chat that the connection is about; undefined for all chats of the user. */
  constructor(private readonly chatId: number | undefined) {}

  /** Translates a frame of the client. A bad frame is answered with an error frame. */
  fromClient(text: string): Translated {
    let frame: ClientFrame | undefined;
    try {
      frame = parseFrame(text);
      return frame.type === 'ping' ? { answer: pongTo(frame) } : { packet: this.commandPacket(frame) };
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
    if (ANSWERS.has(type)) this.answers.begin();
    return { type: PacketType.EVENT, nsp: '/', id, data: [event, payload] };
  }

  /**
   * Translates `2["event",{…}]`. The JSON of the payload is copied, so that no message is parsed and serialized again.
   */
  private translateEvent(packet: string): string | undefined {
    const end = packet.indexOf('"', 3);
    const [event, payload] = [packet.slice(3, end), packet.slice(end + 2, -1)];
    const isElsewhere = this.chatId !== undefined && (chatOf(event, payload) ?? this.chatId) !== this.chatId;
    if (isElsewhere || this.isRepeated(event, payload)) return undefined;
    this.closeReason = CLOSE_REASONS[event] ?? this.closeReason;
    if (event === 'chat:removed' && this.chatId !== undefined) this.end(closeReasonOf('chat_not_found'));
    return eventFrame(event, payload);
  }

  /** Whether the client has got what this event says with the ack of its own command. */
  private isRepeated(event: string, payload: string): boolean {
    const key = this.answers.isIdle ? undefined : answerKey(event, payload);
    return key !== undefined && !this.answers.event(key);
  }

  /** Translates `3<id>[{…}]`. An accepted command whose event the client gets leads to no second frame. */
  private translateAck(packet: string): string | undefined {
    const start = packet.indexOf('[');
    const id = Number(packet.slice(1, start));
    const { type, key } = this.underWay.get(id)!;
    this.underWay.delete(id);
    if (type === 'sync' && packet.startsWith(NEWS, start))
      return eventFrame(type, packet.slice(start + NEWS.length, -2));
    const [ack] = JSON.parse(packet.slice(start)) as [Ack<object, { replayed?: boolean }>];
    const data = ack.ok ? JSON.stringify(ack.data) : '';
    const event = ANSWERS.get(type);
    const isDue = event !== undefined && this.answers.end(ack.ok ? answerKey(event, data) : undefined);
    if (!ack.ok) return errorFrame(ack.error, key);
    switch (type) {
      case 'message':
        return ack.replayed ? data : undefined;
      case 'auth:refresh':
        this.closeReason = GOING_AWAY;
        return eventFrame(type, data);
      default:
        return isDue ? eventFrame(event, data) : undefined;
    }
  }
}

/** What comes before the answer to a sync in its ack. The answer is long, so it is copied without parsing. */
const NEWS = '[{"ok":true,"data":';

/** The code in `4{"message":…,"data":{"code":…}}`, the packet for a refused handshake. */
function refusalCode(packet: string): ErrorCode {
  const { data } = JSON.parse(packet.slice(1)) as { data?: { code: ErrorCode } };
  return data?.code ?? 'internal_error';
}

/** The types of packets in Socket.IO's protocol, revision 5. */
const PACKET = { disconnect: '1', event: '2', ack: '3', refusal: '4' } as const;
