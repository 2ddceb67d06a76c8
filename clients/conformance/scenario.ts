import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorCode } from '../../src/contract/errors.js';
import type { ClientToServerEvents, ServerToClientEvents } from '../../src/contract/events.js';

export type Command = keyof ClientToServerEvents;
export type EventName = keyof ServerToClientEvents;

/** What is done to a message or in a chat: by the client under test, or with `by` by another person over REST. */
export type Deed =
  | { do: 'send'; by?: string; chat?: string; text: string; as?: string; reply_to?: string; times?: number }
  | { do: 'edit'; by?: string; message: string; text: string }
  | { do: 'remove'; by?: string; message: string }
  | { do: 'read'; by?: string; message: string };

/** What only the client under test does. */
export type ClientStep =
  | { do: 'open' }
  | { do: 'login' }
  | { do: 'kill' }
  | { do: 'retry'; message: string }
  | { do: 'drop'; message: string };

/** What only other people do. */
export type PeopleStep =
  | { do: 'create_group'; by: string; chat: string; members: string[] }
  | { do: 'rename_group'; by: string; chat?: string; name: string }
  | { do: 'delete_group'; by: string; chat?: string }
  | { do: 'add_member'; by: string; chat?: string; who: string }
  | { do: 'remove_member'; by: string; chat?: string; who: string }
  | { do: 'block'; by: string; who: string }
  | { do: 'unblock'; by: string; who: string }
  | { do: 'end_sessions'; by: string };

/** What the network does, at once or as soon as the command or the event passes. */
export type NetworkStep =
  | { do: 'offline' }
  | { do: 'online' }
  | { do: 'cut' }
  | { do: 'cut_before_commit'; command: Command; text?: string; times?: number }
  | { do: 'cut_after_commit'; command: Command; text?: string }
  | { do: 'lose_answer'; command: Command; text?: string }
  | { do: 'delay_answer'; command: Command }
  | { do: 'refuse'; command: Command; code: ErrorCode; retry_after_ms?: number; times?: number }
  | { do: 'lose_event'; event: EventName; times?: number }
  | { do: 'repeat_event'; event: EventName }
  | { do: 'delay_event'; event: EventName }
  | { do: 'lose_refresh_answer' };

/** What the server does, and the time. */
export type ServerStep = { do: 'stop_server' } | { do: 'start_server' } | { do: 'expire_token' };

/** What is waited for, and what must be so. */
export type Check =
  | { do: 'until'; message: string; status: Status; error?: string }
  | { do: 'until_change'; message: string; status: 'failed' | 'sending'; error?: string }
  | { do: 'until_synced' }
  | { do: 'until_disconnected' }
  | { do: 'until_signed_out' }
  | { do: 'faults_happened' }
  | { do: 'tries'; command: Command; text?: string; times: number }
  | { do: 'equal' };

export type Status = 'sending' | 'sent' | 'read' | 'failed';
export type Step = Deed | ClientStep | PeopleStep | NetworkStep | ServerStep | Check;

/** What a client has to get through. */
export interface Scenario {
  name: string;
  /** What it asks of a client, in plain words. */
  promise: string;
  /** Beside `me`, the person of the client under test. */
  people: string[];
  /** By name: their members. The first one has made it. A private chat has two, or `me` alone. */
  chats: Record<string, { type: 'private' | 'group'; members: string[] }>;
  steps: Step[];
}

/** Reads the scenarios. @throws Error when they aren't as their schema says */
export function loadScenarios(folder: string): Scenario[] {
  const read = (name: string): unknown => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));
  const ajv = new Ajv2020({ allErrors: true, discriminator: true });
  const validate = ajv.compile<Scenario[]>(read('scenarios.schema.json') as object);
  const scenarios = read('scenarios.json');
  if (!validate(scenarios)) throw new Error(`scenarios.json: ${ajv.errorsText(validate.errors)}`);
  return scenarios;
}
