import type { INestApplication, Type } from '@nestjs/common';
import { DocumentBuilder, getSchemaPath, SwaggerModule } from '@nestjs/swagger';
import { referredFrom, type Schema, toJsonSchema, toJsonSchemas } from './json-schema.js';
import {
  type Channel,
  type DocumentedChannel,
  type DocumentedOperation,
  keyOf,
  type Message,
  type Operation,
} from './asyncapi.types.js';
import { plainChannels } from './plain-channels.js';
import { CommandErrorDto } from './socket-payloads.dto.js';
import { COMMANDS, COMMON_ERRORS, EVENTS } from './socket-messages.js';

/**
 * The AsyncAPI document of the sockets: `/asyncapi.json`, the page `/docs/events` and the file `asyncapi.json` in the
 * repository. https://www.asyncapi.com/docs/reference/specification/v3.1.0
 */

const DESCRIPTION = `The sockets of WinDI Chat: commands of clients, their answers, and events. docs/realtime.md has the rules that
no schema can say: order, delivery, retrying, sync, tokens, limits.

More events, more error codes and more fields may be added at any time; a client ignores those it does not know. What a
client sends is strict: a command or a frame with a field that its schema doesn't have is refused.`;

/** Makes the AsyncAPI document; a previewed application (`preview: true`), which has no providers, is enough. */
export function createAsyncApi(app: INestApplication) {
  const schemas = schemasOf(app);
  const channels = { socketio: SOCKET_IO, ...plainChannels(schemas) };
  const operations = Object.entries(channels).flatMap(([name, channel]) => operationsOf(name, channel));
  const document = {
    asyncapi: '3.1.0',
    info: {
      title: 'WinDI Chat sockets',
      version: '0.1.0',
      description: DESCRIPTION,
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    },
    defaultContentType: 'application/json',
    servers: SERVERS,
    channels: mapValues(channels, channelOf),
    operations: Object.fromEntries(operations),
    components: { schemas: {} as Record<string, Schema>, messages: messagesOf(Object.values(channels)) },
  };
  const used = referredFrom(document.components.messages, schemas);
  document.components.schemas = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  return document;
}

const SERVERS = {
  socketio: {
    host: 'localhost:8000',
    pathname: '/socket.io',
    protocol: 'socketio',
    description: 'Socket.IO 4, default namespace, by websocket or polling.',
  },
  websocket: {
    host: 'localhost:8000',
    pathname: '/ws',
    protocol: 'ws',
    description: 'Plain WebSockets, each frame a JSON object as text.',
  },
};

/** The schemas of everything that a socket carries, by name. */
function schemasOf(app: INestApplication): Record<string, Schema> {
  const models = [...Object.values(COMMANDS), ...Object.values(EVENTS)].flatMap((spec) => [
    spec.payload,
    'data' in spec ? spec.data : null,
  ]);
  const extraModels = [CommandErrorDto, ...models.filter((model) => model !== null)];
  const { components } = SwaggerModule.createDocument(app, new DocumentBuilder().build(), { extraModels });
  return toJsonSchemas(components?.schemas ?? {});
}

/** A reference to the schema of a class; for null, an object without fields. */
const schemaOf = (model: Type | null): Schema =>
  model ? toJsonSchema({ $ref: getSchemaPath(model) }) : { type: 'object', maxProperties: 0 };

const CONNECT: Message = {
  key: 'connect',
  name: 'connect',
  summary: 'The `auth` of the handshake. The token may come in the header `Authorization: Bearer …` instead.',
  payload: { type: 'object', properties: { token: { type: 'string', description: 'An access token.' } } },
};

const CONNECT_ERROR: Message = {
  key: 'connect_error',
  name: 'connect_error',
  summary:
    'Why the connection was refused. The client library does not try again by itself. A namespace other than the default ' +
    'one is refused without `data`.',
  payload: {
    type: 'object',
    properties: { message: { type: 'string' }, data: schemaOf(CommandErrorDto) },
    required: ['message'],
  },
};

const SOCKET_IO: Channel = {
  address: '/',
  title: 'Socket.IO',
  description:
    'A command is one event with one object and an ack. An ack is `{ ok: true, data }` or `{ ok: false, error }`. Events ' +
    'have one object, too.',
  server: 'socketio',
  operations: [
    { action: 'receive', message: CONNECT, reply: CONNECT_ERROR },
    ...Object.entries(COMMANDS).map(([name, { summary, payload, data, errors }]): Operation => ({
      action: 'receive',
      message: { key: `command.${keyOf(name)}`, name, summary, payload: schemaOf(payload) },
      reply: {
        key: `ack.${keyOf(name)}`,
        name: `the ack of ${name}`,
        summary: `Errors: ${[...errors, ...COMMON_ERRORS].map((code) => `\`${code}\``).join(', ')}.`,
        payload: ackOf(name, schemaOf(data)),
        'x-command': name,
        'x-errors': [...errors, ...COMMON_ERRORS],
      },
    })),
    ...Object.entries(EVENTS).map(([name, { summary, payload }]): Operation => ({
      action: 'send',
      message: { key: `event.${keyOf(name)}`, name, summary, payload: schemaOf(payload) },
    })),
  ],
};

/** An ack: the data or an error. */
function ackOf(command: string, data: Schema): Schema {
  const replayed = { type: 'boolean', description: 'Whether this very message was stored before.' };
  const isSend = command === 'message:send';
  return {
    oneOf: [
      {
        type: 'object',
        properties: { ok: { const: true }, data, ...(isSend && { replayed }) },
        required: ['ok', 'data', ...(isSend ? ['replayed'] : [])],
      },
      {
        type: 'object',
        properties: { ok: { const: false }, error: schemaOf(CommandErrorDto) },
        required: ['ok', 'error'],
      },
    ],
  };
}

const messagesIn = ({ operations }: Channel): Message[] =>
  operations.flatMap(({ message, reply }) => (reply ? [message, reply] : [message]));

function messagesOf(channels: readonly Channel[]): Record<string, Omit<Message, 'key'>> {
  return Object.fromEntries(channels.flatMap(messagesIn).map(({ key, ...message }) => [key, message]));
}

function channelOf(channel: Channel): DocumentedChannel {
  const { address, title, description, server, parameters, bindings } = channel;
  return {
    address,
    title,
    description,
    servers: [{ $ref: `#/servers/${server}` }],
    ...(parameters && { parameters }),
    ...(bindings && { bindings }),
    messages: Object.fromEntries(messagesIn(channel).map(({ key }) => [key, { $ref: `#/components/messages/${key}` }])),
  };
}

function operationsOf(name: string, { operations }: Channel): [string, DocumentedOperation][] {
  const channel = { $ref: `#/channels/${name}` };
  const reference = ({ key }: Message): { $ref: string } => ({ $ref: `#/channels/${name}/messages/${key}` });
  return operations.map(({ action, message, reply }) => [
    `${name}.${action}.${message.key}`,
    {
      action,
      channel,
      summary: message.summary,
      messages: [reference(message)],
      ...(reply && { reply: { channel, messages: [reference(reply)] } }),
    },
  ]);
}

const mapValues = <T, R>(object: Record<string, T>, map: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
