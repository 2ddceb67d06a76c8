import { AppError } from '../../common/errors/app-error.js';
import type { CommandError, ErrorCode } from '../../contract/errors.js';
import type { ClientToServerEvents, ServerToClientEvents } from '../../contract/events.js';

/** The frames of the plain WebSocket and what they are on Socket.IO. Only functions of what they are given. */

/** A frame of a client: any object. */
export type ClientFrame = Readonly<Record<string, unknown>>;

/** What a client's frame asks for. `type` is the frame's own. */
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

export const PONG = '{"type":"pong"}';

const MESSAGE = 'message';
const COMMANDS: ReadonlyMap<unknown, keyof ClientToServerEvents> = new Map([
  [MESSAGE, 'message:send'],
  ['read', 'message:read'],
  ['typing', 'typing'],
  ['auth:refresh', 'auth:refresh'],
]);
const KNOWN_TYPES = [...COMMANDS.keys(), 'ping'].join(', ');

/** Commands that name their chat, which a connection to one chat does for them. */
const ABOUT_A_CHAT: ReadonlySet<unknown> = new Set([MESSAGE, 'typing']);

/** @throws AppError `validation_failed` */
export function parseFrame(text: string): ClientFrame {
  const frame = parseJson(text);
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) throw notAFrame();
  return frame as ClientFrame;
}

/** What the server says to a frame that isn't one. */
export const notAFrame = (): AppError => AppError.invalidField('frame', 'must be a JSON object, as text');

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The command a frame stands for, its chat filled in where the connection has one. @throws AppError `validation_failed` */
export function toCommand(frame: ClientFrame, chatId: number | undefined): Command {
  assertFlat(frame);
  const { type = MESSAGE, ...payload } = frame;
  const event = COMMANDS.get(type);
  if (!event) throw AppError.invalidField('type', `must be one of ${KNOWN_TYPES}`);
  if (chatId === undefined || !ABOUT_A_CHAT.has(type)) return { type: type as string, event, payload };
  const { chat_id = chatId } = payload;
  if (chat_id !== chatId) throw AppError.invalidField('chat_id', "must be this connection's chat, or left out");
  return { type: type as string, event, payload: { ...payload, chat_id } };
}

/** No command has a field with anything in it; and what JSON.parse can nest, JSON.stringify may be unable to write again. */
function assertFlat(frame: ClientFrame): void {
  const nested = Object.entries(frame).find(([, value]) => typeof value === 'object' && value !== null);
  if (nested) throw AppError.invalidField(nested[0].slice(0, 100), 'must not be an object or a list');
}

type PayloadOf<E extends keyof ServerToClientEvents> = Parameters<ServerToClientEvents[E]>[0];
/** Events whose payload has a `type` of its own, beside which the event's name can't stand; the compiler finds them. */
type TypedEvent = {
  [E in keyof ServerToClientEvents]: PayloadOf<E> extends { type: string } ? E : never;
}[keyof ServerToClientEvents];

const OWN_FORMS: Record<TypedEvent | 'message:created', (payload: string) => string> = {
  'message:created': (message) => message,
  read_receipt: (receipt) => receipt,
  'chat:created': (chat) => `{"type":"chat:created","chat":${chat}}`,
};

/** An event as a frame; `payload` is its JSON, an object. */
export function eventFrame(event: string, payload: string): string {
  if (Object.hasOwn(OWN_FORMS, event)) return OWN_FORMS[event as keyof typeof OWN_FORMS](payload);
  return payload === '{}' ? `{"type":"${event}"}` : `{"type":"${event}",${payload.slice(1)}`;
}

/** A refusal. `key` is the `client_message_id` of what was refused, if it had one. */
export function errorFrame(error: CommandError, key?: unknown): string {
  return JSON.stringify({ type: 'error', ...error, client_message_id: typeof key === 'string' ? key : undefined });
}

/** The chat that an event is about; undefined for one that is about the connection. */
export function chatOf(event: string, payload: string): number | undefined {
  const { chat_id, id } = JSON.parse(payload) as { chat_id?: number; id?: number };
  return chat_id ?? (event.startsWith('chat:') ? id : undefined);
}

/** The server stops, or cuts the connection for a reason it has no word for. */
export const GOING_AWAY: CloseReason = { code: 1001, reason: '' };

/** How a connection ends that an error ends. */
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
