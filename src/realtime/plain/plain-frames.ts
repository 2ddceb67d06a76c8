import { AppError } from '../../common/errors/app-error.js';
import type { CommandError, ErrorCode } from '../../contract/errors.js';
import type { ClientToServerEvents, ServerToClientEvents } from '../../contract/events.js';
import type { Message } from '../../contract/messages.js';

/**
 * The frames of the plain WebSocket, and how they map to the commands and events of Socket.IO. All functions are pure.
 * `PlainTranslator` calls them for each frame; docs/realtime.md describes the frames.
 */

/** A frame of a client, parsed: any JSON object. */
export type ClientFrame = Readonly<Record<string, unknown>>;

/** The command that a frame stands for. `type` is that of the frame. */
interface Command {
  readonly type: string;
  readonly event: keyof ClientToServerEvents;
  readonly payload: object;
}

/** How a connection ends: the close frame's code and its reason. */
export interface CloseReason {
  readonly code: number;
  readonly reason: string;
}

const MESSAGE = 'message';
/** The command of each type of frame. */
export const FRAME_COMMANDS: ReadonlyMap<unknown, keyof ClientToServerEvents> = new Map([
  [MESSAGE, 'message:send'],
  ['edit', 'message:edit'],
  ['delete', 'message:delete'],
  ['read', 'message:read'],
  ['typing', 'typing'],
  ['sync', 'sync'],
  ['auth:refresh', 'auth:refresh'],
]);
const KNOWN_TYPES = [...FRAME_COMMANDS.keys(), 'ping'].join(', ');

/**
 * The event that is the answer to a frame of this type. If the command changed nothing, its ack is the answer, in the form
 * of the event.
 */
export const ANSWERS: ReadonlyMap<string, keyof ServerToClientEvents> = new Map([
  ['edit', 'message:updated'],
  ['delete', 'message:deleted'],
  ['read', 'read_receipt'],
]);

/** Commands with a `chat_id`. A connection to one chat fills it in. */
const ABOUT_A_CHAT: ReadonlySet<unknown> = new Set([MESSAGE, 'typing']);

/** Parses the text of a frame. @throws AppError `validation_failed` when it is no JSON object */
export function parseFrame(text: string): ClientFrame {
  const frame = parseJson(text);
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) throw notAFrame();
  return frame as ClientFrame;
}

const KEY_NAME = '"client_message_id"';
/** The name and the value: JSON of up to 64 printable characters, each of which may be escaped. */
const KEY = /^"client_message_id"\s*:\s*("(?:[^"\\]|\\[ -~]){1,384}")/;

/**
 * The `client_message_id` in a frame that is too large. The frame isn't parsed: JSON of this size can take 100 ms. Where this name stands inside a text, its quotes are escaped.
 */
export function keyOf(frame: Buffer): unknown {
  const start = frame.indexOf(KEY_NAME);
  const [, key] = KEY.exec(frame.toString('latin1', start, start + 500)) ?? [];
  return key === undefined ? undefined : parseJson(key);
}

/** The error for a frame that is not a JSON object as text. */
export const notAFrame = (): AppError => AppError.invalidField('frame', 'must be a JSON object, as text');

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The command that a frame stands for. `chatId` is the one chat of the connection, if it has one.
 * @throws AppError `validation_failed`
 */
export function toCommand(frame: ClientFrame, chatId: number | undefined): Command {
  const { type = MESSAGE, ...payload } = frame;
  const event = FRAME_COMMANDS.get(type);
  if (!event) throw AppError.invalidField('type', `must be one of ${KNOWN_TYPES}`);
  if (chatId === undefined || !ABOUT_A_CHAT.has(type)) return { type: type as string, event, payload };
  const { chat_id = chatId } = payload;
  if (chat_id !== chatId) throw AppError.invalidField('chat_id', "must be this connection's chat, or left out");
  return { type: type as string, event, payload: { ...payload, chat_id } };
}

const PONG = '{"type":"pong"}';

/** The answer to a frame of type `ping`. @throws AppError `validation_failed` when the frame has other fields */
export function pongTo(ping: ClientFrame): string {
  if (Object.keys(ping).length > 1) throw AppError.invalidField('frame', 'of a ping must have no field but its type');
  return PONG;
}

type PayloadOf<E extends keyof ServerToClientEvents> = Parameters<ServerToClientEvents[E]>[0];
/**
 * Events whose payload has a `type` of its own. The name of the event can't be their `type`, so they need an entry in
 * `OWN_FORMS`; the compiler checks that.
 */
type TypedEvent = {
  [E in keyof ServerToClientEvents]: PayloadOf<E> extends { type: string } ? E : never;
}[keyof ServerToClientEvents];

/** The frames of events that don't have the usual form. Each takes the JSON of the payload. */
const OWN_FORMS: Record<TypedEvent | 'message:created', (payload: string) => string> = {
  'message:created': (message) => message,
  read_receipt: (receipt) => receipt,
  'chat:created': (chat) => `{"type":"chat:created","chat":${chat}}`,
};

/** An event as a frame. `payload` is the JSON of an object, and is copied without parsing. */
export function eventFrame(event: string, payload: string): string {
  if (Object.hasOwn(OWN_FORMS, event)) return OWN_FORMS[event as keyof typeof OWN_FORMS](payload);
  return payload === '{}' ? `{"type":"${event}"}` : `{"type":"${event}",${payload.slice(1)}`;
}

/**
 * The key by which `AnswerMatcher` compares an event and an ack; undefined for an event that answers no command. Of a
 * message it is the version: what else the message says may have changed between the two.
 */
export function answerKey(event: string, payload: string): string | undefined {
  if (event === 'read_receipt') return payload;
  if (event !== 'message:updated' && event !== 'message:deleted') return undefined;
  const { id, change_seq } = JSON.parse(payload) as Message;
  return `${id} ${change_seq}`;
}

/** The frame for an error. `key` is the `client_message_id` of the refused frame, if it had one. */
export function errorFrame(error: CommandError, key?: unknown): string {
  return JSON.stringify({ type: 'error', ...error, client_message_id: typeof key === 'string' ? key : undefined });
}

/** The chat that an event is about; undefined for an event that is about the connection. */
export function chatOf(event: string, payload: string): number | undefined {
  const { chat_id, id } = JSON.parse(payload) as { chat_id?: number; id?: number };
  return chat_id ?? (event.startsWith('chat:') ? id : undefined);
}

/** The server stops, or closes the connection for a reason that has no code of its own. */
export const GOING_AWAY: CloseReason = { code: 1001, reason: '' };

/** The close code and reason of a connection that this error ends. */
export function closeReasonOf(reason: ErrorCode): CloseReason {
  return { code: CLOSE_CODES[reason] ?? TRY_AGAIN_LATER, reason };
}

const TRY_AGAIN_LATER = 1013;
const CLOSE_CODES: Partial<Record<ErrorCode, number>> = {
  unauthorized: 4401,
  token_expired: 4401,
  chat_not_found: 4404,
  internal_error: 1011,
};
