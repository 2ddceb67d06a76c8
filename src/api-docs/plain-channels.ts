import { ANSWERS, FRAME_COMMANDS } from '../realtime/plain/plain-frames.js';
import { type Channel, keyOf, type Message, type Operation } from './asyncapi.types.js';
import { nameOf, type Schema } from './json-schema.js';
import { COMMANDS, EVENTS } from './socket-messages.js';

/** The frames of the plain WebSocket for the AsyncAPI document, made of the commands and events of Socket.IO. */

/** Schemas of objects, by name. */
type Schemas = Readonly<Record<string, Schema>>;

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** The channels of the plain WebSocket. `schemas` are those of the commands and events. */
export function plainChannels(schemas: Schemas): Record<'plain' | 'plainChat', Channel> {
  const events = eventMessages(schemas);
  const answers = new Map(events.map((message) => [message.name, message]));
  const fromServer = [...events, ERROR].map((message): Operation => ({ action: 'send', message }));
  const common = { server: 'websocket', bindings: { ws: HANDSHAKE } } as const;
  return {
    plain: {
      ...common,
      address: '/chat',
      title: 'Plain WebSocket: all chats',
      description: `${FORM} All chats of the user are on it.`,
      operations: [...commandOperations(schemas, answers, true), PING, ...fromServer],
    },
    plainChat: {
      ...common,
      address: '/{chat_id}',
      title: 'Plain WebSocket: one chat',
      description: `${FORM} One chat is on it: no events of others arrive, and frames need not name it.`,
      parameters: { chat_id: { description: 'The id of the chat.' } },
      operations: [...commandOperations(schemas, answers, false), PING, ...fromServer],
    },
  };
}

const FORM = 'Each frame is text, a JSON object. A refused frame is answered with one of type `error`.';

const HANDSHAKE = {
  method: 'GET',
  query: {
    type: 'object',
    properties: {
      token: { type: 'string', description: 'An access token; it may come in the header Authorization instead.' },
      user_id: { type: 'string', pattern: '^\\d+$', description: 'Of older clients: the user of the token.' },
    },
  },
};

/** A frame with a `type` and the fields of `schema`. */
const frame = (type: string, summary: string, { properties, required = [] }: ObjectSchema, key: string): Message => ({
  key: `plain.${keyOf(key)}`,
  name: type,
  summary,
  payload: {
    type: 'object',
    properties: { type: { const: type }, ...properties },
    required: ['type', ...required],
  },
});

const PING: Operation = {
  action: 'receive',
  message: frame('ping', 'Ask for a `pong`.', {}, 'command.ping'),
  reply: frame('pong', 'The answer to a `ping`, in its turn.', {}, 'answer.pong'),
};

const errorField = (name: string): Schema => ({ $ref: `#/components/schemas/CommandError/properties/${name}` });

const ERROR = frame(
  'error',
  'A refused frame. `client_message_id` is the one that it had.',
  {
    properties: {
      code: errorField('code'),
      message: errorField('message'),
      retryable: errorField('retryable'),
      retry_after_ms: errorField('retry_after_ms'),
      errors: errorField('errors'),
      client_message_id: { type: 'string' },
    },
    required: ['code', 'message', 'retryable'],
  },
  'event.error',
);

/** Every event as a frame. */
function eventMessages(schemas: Schemas): Message[] {
  return Object.entries(EVENTS).map(([name, { summary, payload }]) => {
    const own = payload ? nameOf(payload.name) : '';
    const $ref = `#/components/schemas/${own}`;
    switch (name) {
      case 'message:created':
      case 'read_receipt':
        return { key: `plain.event.${keyOf(name)}`, name, summary, payload: { $ref } };
      case 'chat:created':
        return frame(name, summary, { properties: { chat: { $ref } }, required: ['chat'] }, `event.${name}`);
      default:
        return frame(name, summary, schemas[own] ?? {}, `event.${name}`);
    }
  });
}

/** Every frame of a client with its answer. `namesChat`: whether frames about a chat must say which. */
function commandOperations(schemas: Schemas, events: ReadonlyMap<string, Message>, namesChat: boolean): Operation[] {
  return [...FRAME_COMMANDS].map(([name, command]) => {
    const type = name as string;
    const { summary, payload, data } = COMMANDS[command];
    const { properties, required = [] } = schemas[nameOf(payload.name)] as ObjectSchema;
    const needed = required.filter((field) => namesChat || field !== 'chat_id');
    const message = frame(
      type,
      summary,
      { properties, required: needed },
      `${namesChat ? '' : 'chat.'}command.${type}`,
    );
    if (type === 'message') message.payload.required = needed; // The type of a message may be left out.
    const own = data
      ? frame(type, `The answer to \`${type}\`.`, schemas[nameOf(data.name)]!, `answer.${type}`)
      : undefined;
    const reply = events.get(type === 'message' ? 'message:created' : (ANSWERS.get(type) ?? '')) ?? own;
    return { action: 'receive', message, ...(reply && { reply }) };
  });
}
