import type { Type } from '@nestjs/common';
import { ChatDto } from '../chats/dto/chat.dto.js';
import { MessageDto } from '../chats/dto/message.dto.js';
import type { ErrorCode } from '../contract/errors.js';
import type { Answer, ClientToServerEvents, ServerToClientEvents } from '../contract/events.js';
import { EditMessageCommand, SendMessageCommand } from '../messages/dto/message-input.dto.js';
import { ReadReceiptDto } from '../messages/dto/receipt.dto.js';
import { NewsDto, SyncRequestDto } from '../messages/dto/sync.dto.js';
import { MessageCommand, RefreshCommand, TypingCommand } from '../realtime/commands/dto/commands.dto.js';
import {
  ChatRemovedDto,
  ChatSummaryDto,
  DrainingDto,
  MemberChangeDto,
  MembershipChangeDto,
  RefreshedDto,
  TypingDto,
} from './socket-payloads.dto.js';

/**
 * All commands and events of the sockets. The compiler checks that each one of the contract is here, with a class of its
 * shape.
 */

/** The class with the shape of `T`; null for an object without fields. */
type Model<T> = T extends Record<string, never> ? null : Type<T>;

type DataOf<C extends keyof ClientToServerEvents> = Answer<C> extends { data: infer Data } ? Data : never;

interface CommandSpec<Payload, Data> {
  readonly summary: string;
  readonly payload: Model<Payload>;
  /** The shape of `data` in a positive ack. */
  readonly data: Model<Data>;
  /** The errors besides those that every command can have. */
  readonly errors: readonly ErrorCode[];
}

interface EventSpec<Payload> {
  readonly summary: string;
  readonly payload: Model<Payload>;
}

/** The errors that every command can have. */
export const COMMON_ERRORS: readonly ErrorCode[] = [
  'validation_failed',
  'token_expired',
  'unauthorized',
  'payload_too_large',
  'rate_limited',
  'unavailable',
  'internal_error',
];

/** What clients send. */
export const COMMANDS: {
  readonly [C in keyof ClientToServerEvents]: CommandSpec<Parameters<ClientToServerEvents[C]>[0], DataOf<C>>;
} = {
  'message:send': {
    summary: 'Send a message. The same again, with the same key, returns the stored message.',
    payload: SendMessageCommand,
    data: MessageDto,
    errors: ['chat_not_found', 'blocked', 'client_message_id_conflict', 'overloaded'],
  },
  'message:edit': {
    summary: 'Change the text of your message.',
    payload: EditMessageCommand,
    data: MessageDto,
    errors: ['message_not_found', 'forbidden', 'blocked', 'overloaded'],
  },
  'message:delete': {
    summary: 'Delete your message; in a group, as owner or admin, any. A tombstone stays.',
    payload: MessageCommand,
    data: MessageDto,
    errors: ['message_not_found', 'forbidden', 'overloaded'],
  },
  'message:read': {
    summary: 'Mark a message, and all before it, as read.',
    payload: MessageCommand,
    data: ReadReceiptDto,
    errors: ['message_not_found', 'overloaded'],
  },
  typing: {
    summary: 'Tell the others that you type, or no longer do.',
    payload: TypingCommand,
    data: null,
    errors: ['chat_not_found'],
  },
  sync: {
    summary: 'Get what is new since what you hold.',
    payload: SyncRequestDto,
    data: NewsDto,
    errors: [],
  },
  'auth:refresh': {
    summary: 'Give the socket a new access token of the same user.',
    payload: RefreshCommand,
    data: RefreshedDto,
    errors: [],
  },
};

/** What the server publishes. */
export const EVENTS: {
  readonly [E in keyof ServerToClientEvents]: EventSpec<Parameters<ServerToClientEvents[E]>[0]>;
} = {
  'message:created': { summary: 'A new message, to all members, the sender too.', payload: MessageDto },
  'message:updated': { summary: 'A message with a new text, to all members.', payload: MessageDto },
  'message:deleted': { summary: 'A message that is now a tombstone, to all members.', payload: MessageDto },
  read_receipt: {
    summary: 'Somebody has read; to the reader and the senders of what this newly reads.',
    payload: ReadReceiptDto,
  },
  'chat:created': { summary: 'A chat that the user is now in, as they see it.', payload: ChatDto },
  'chat:updated': { summary: 'The group has a new name, to all members.', payload: ChatSummaryDto },
  'chat:removed': { summary: 'The user is no longer in the chat, or it is gone.', payload: ChatRemovedDto },
  'member:added': { summary: 'Somebody is now in the chat, to all members.', payload: MembershipChangeDto },
  'member:removed': {
    summary: 'Somebody is no longer in the chat, to those who remain.',
    payload: MembershipChangeDto,
  },
  'member:updated': { summary: 'A member has another role or name, to all members.', payload: MemberChangeDto },
  typing: { summary: 'Somebody types, or no longer does; to the others. Never stored.', payload: TypingDto },
  'auth:expired': { summary: 'The access token has expired: send `auth:refresh` within 30 s.', payload: null },
  'session:revoked': { summary: 'The session has ended, and the socket is cut.', payload: null },
  'server:draining': { summary: 'The server stops, and soon closes the connection.', payload: DrainingDto },
};
