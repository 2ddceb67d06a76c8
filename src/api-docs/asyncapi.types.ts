import type { ErrorCode } from '../contract/errors.js';
import type { Schema } from './json-schema.js';

/** The parts of the AsyncAPI document before they are put into its form. */

/** A message. The key is unique in the document. */
export interface Message {
  readonly key: string;
  readonly name: string;
  readonly summary: string;
  readonly payload: Schema;
  /** Of an ack: the command that it answers, and the errors that it can have. */
  readonly 'x-command'?: string;
  readonly 'x-errors'?: readonly ErrorCode[];
}

/** What goes through a channel in one direction, and the answer to it. The action is that of the server. */
export interface Operation {
  readonly action: 'send' | 'receive';
  readonly message: Message;
  readonly reply?: Message;
}

export interface Channel {
  readonly address: string;
  readonly title: string;
  readonly description: string;
  readonly server: 'socketio' | 'websocket';
  readonly operations: readonly Operation[];
  readonly parameters?: Record<string, { description: string }>;
  readonly bindings?: object;
}

interface Reference {
  readonly $ref: string;
}

/** A channel and an operation as they stand in the document. */
export interface DocumentedChannel extends Omit<Channel, 'server' | 'operations'> {
  readonly servers: readonly Reference[];
  readonly messages: Readonly<Record<string, Reference>>;
}

export interface DocumentedOperation {
  readonly action: Operation['action'];
  readonly channel: Reference;
  readonly summary: string;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
}

/** AsyncAPI allows no colons in the keys of its objects. */
export const keyOf = (name: string): string => name.replace(/:/g, '.');
