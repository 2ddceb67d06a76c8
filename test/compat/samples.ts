import { changesBetween, isBreaking } from './oasdiff.js';
import { comparable, type DocumentName, readReleased } from './released.js';

/** A change to a released document, and what docs/compatibility.md calls it. */
interface Sample {
  readonly name: string;
  readonly document: DocumentName;
  readonly isBreaking: boolean;
  /** What the released document had, besides what it has. */
  readonly before?: (document: any) => void;
  readonly change: (document: any) => void;
}

const NEW_FIELD = { type: 'string', maxLength: 100 };

const addTo = (schema: string, isRequired: boolean) => (document: any) => {
  const { properties, required } = document.components.schemas[schema];
  properties.topic = NEW_FIELD;
  if (isRequired) required.push('topic');
};

const removeFrom = (schema: string, field: string) => (document: any) => {
  const { properties, required } = document.components.schemas[schema];
  Reflect.deleteProperty(properties, field);
  if (required.includes(field)) required.splice(required.indexOf(field), 1);
};

const boundTextOf = (schema: string, maxLength: number) => (document: any) => {
  document.components.schemas[schema].properties.text.maxLength = maxLength;
};

/** The errors that the answer of one operation may be, by their codes. */
const errorsOf = ({ paths }: any): any =>
  paths['/chats/{id}'].get.responses[404].content['application/problem+json'].examples;

/** What may happen to the schemas of both documents. `request` is that of a new message. */
const ofSchemas = (document: DocumentName, request: string): Sample[] => [
  { document, name: 'a field of an answer goes', isBreaking: true, change: removeFrom('Chat', 'type') },
  { document, name: 'a field of an answer has another type', isBreaking: true, change: makeText },
  { document, name: 'a field of an answer may be null', isBreaking: true, change: makeNullable },
  { document, name: 'a field of an answer may be missing', isBreaking: true, change: makeOptional },
  { document, name: 'a closed set gets a value', isBreaking: true, change: addRole },
  { document, name: 'a request needs a new field', isBreaking: true, change: addTo(request, true) },
  { document, name: 'a field of a request goes', isBreaking: true, change: removeFrom(request, 'reply_to_id') },
  { document, name: 'a bound becomes narrower', isBreaking: true, change: boundTextOf(request, 1_000) },
  { document, name: 'a bound becomes wider', isBreaking: false, change: boundTextOf(request, 10_000) },
  { document, name: 'an answer gets a field', isBreaking: false, change: addTo('Chat', true) },
  { document, name: 'a request may have a new field', isBreaking: false, change: addTo(request, false) },
];

function makeText({ components }: any): void {
  components.schemas.Chat.properties.last_seq = NEW_FIELD;
}

function makeOptional({ components }: any): void {
  const { required } = components.schemas.Chat;
  required.splice(required.indexOf('last_seq'), 1);
}

function makeNullable({ components }: any): void {
  components.schemas.Chat.properties.last_seq.type = ['integer', 'null'];
}

function addRole({ components }: any): void {
  components.schemas.Role.enum.push('guest');
}

function deprecateReaders({ paths }: any): void {
  paths['/messages/{id}/readers'].get.deprecated = true;
}

const SAMPLES: readonly Sample[] = [
  ...ofSchemas('openapi.json', 'SendMessage'),
  {
    document: 'openapi.json',
    name: 'an operation goes',
    isBreaking: true,
    change: ({ paths }) => delete paths['/messages/{id}/readers'],
  },
  {
    document: 'openapi.json',
    name: 'a deprecated operation goes',
    isBreaking: true,
    before: deprecateReaders,
    change: ({ paths }) => delete paths['/messages/{id}/readers'],
  },
  {
    document: 'openapi.json',
    name: 'a parameter goes',
    isBreaking: true,
    change: ({ paths }) => paths['/messages/history/{chat_id}'].get.parameters.pop(),
  },
  {
    document: 'openapi.json',
    name: 'a header of an answer goes',
    isBreaking: true,
    change: ({ paths }) => delete paths['/messages/history/{chat_id}'].get.responses[200].headers['X-Total-Count'],
  },
  {
    document: 'openapi.json',
    name: 'a closed set loses a value that a request may have',
    isBreaking: true,
    change: ({ components }) => components.schemas.Role.enum.pop(),
  },
  {
    document: 'openapi.json',
    name: 'an error gets another status',
    isBreaking: true,
    change: ({ paths }) => {
      const { responses } = paths['/chats/{id}'].get;
      responses[410] = responses[404];
      delete responses[404];
    },
  },
  {
    document: 'openapi.json',
    name: 'an error gets another code',
    isBreaking: true,
    change: (document) => {
      const errors = errorsOf(document);
      errors.no_chat = errors.chat_not_found;
      delete errors.chat_not_found;
    },
  },
  {
    document: 'openapi.json',
    name: 'a parameter comes that may be left out',
    isBreaking: false,
    change: ({ paths }) => paths['/users'].get.parameters.push({ in: 'query', name: 'topic', schema: NEW_FIELD }),
  },
  {
    document: 'openapi.json',
    name: 'a header of an answer comes',
    isBreaking: false,
    change: ({ paths }) => (paths['/users'].get.responses[200].headers.Topic = { schema: NEW_FIELD }),
  },
  {
    document: 'openapi.json',
    name: 'a status of an error comes',
    isBreaking: false,
    change: ({ paths }) => (paths['/users'].get.responses[409] = paths['/chats'].post.responses[409]),
  },
  {
    document: 'openapi.json',
    name: 'an operation comes',
    isBreaking: false,
    change: ({ paths }) => (paths['/chats/{id}/topics'] = paths['/chats/{id}/members']),
  },
  {
    document: 'openapi.json',
    name: 'an error code comes',
    isBreaking: false,
    change: (document) => {
      document.components.schemas.Problem.properties.code['x-extensible-enum'].push('no_topic');
      errorsOf(document).no_topic = { value: {} };
    },
  },
  {
    document: 'openapi.json',
    name: 'an operation is deprecated',
    isBreaking: false,
    change: deprecateReaders,
  },
  ...ofSchemas('asyncapi.json', 'SendMessageCommand'),
  {
    document: 'asyncapi.json',
    name: 'an event has another name',
    isBreaking: true,
    change: ({ components }) => (components.messages['event.message.created'].name = 'message:new'),
  },
  {
    document: 'asyncapi.json',
    name: 'a command goes',
    isBreaking: true,
    change: ({ operations }) => delete operations['socketio.receive.command.message.edit'],
  },
  {
    document: 'asyncapi.json',
    name: 'a path changes',
    isBreaking: true,
    change: ({ channels }) => (channels.plain.address = '/chats'),
  },
  {
    document: 'asyncapi.json',
    name: 'an event comes',
    isBreaking: false,
    change: ({ components, operations }) => {
      components.messages.pinned = { ...components.messages['event.message.created'], name: 'message:pinned' };
      operations.pinned = {
        ...operations['socketio.send.event.message.created'],
        messages: [{ $ref: '#/components/messages/pinned' }],
      };
    },
  },
  {
    document: 'asyncapi.json',
    name: 'an ack loses a field',
    isBreaking: true,
    change: ({ components }) => delete components.messages['ack.message.send'].payload.oneOf[0].properties.replayed,
  },
  {
    document: 'asyncapi.json',
    name: 'an ack gets a field',
    isBreaking: false,
    change: ({ components }) => (components.messages['ack.message.send'].payload.oneOf[0].properties.topic = NEW_FIELD),
  },
  {
    document: 'asyncapi.json',
    name: 'an error code comes',
    isBreaking: false,
    change: ({ components }) => {
      components.schemas.CommandError.properties.code['x-extensible-enum'].push('no_topic');
      components.messages['ack.message.send']['x-errors'].push('no_topic');
    },
  },
  {
    document: 'asyncapi.json',
    name: 'an error gets another code',
    isBreaking: true,
    change: ({ components }) => components.messages['ack.message.send']['x-errors'].splice(0, 1, 'no_chat'),
  },
  {
    document: 'asyncapi.json',
    name: 'a frame goes',
    isBreaking: true,
    change: ({ operations }) => delete operations['plain.send.plain.event.chat.removed'],
  },
  {
    document: 'asyncapi.json',
    name: 'a command comes',
    isBreaking: false,
    change: ({ components, operations }) => {
      components.messages.pin = { ...components.messages['command.message.read'], name: 'message:pin' };
      operations.pin = {
        ...operations['socketio.receive.command.message.read'],
        messages: [{ $ref: '#/components/messages/pin' }],
      };
    },
  },
];

/** Compares each changed document with the released one. @returns whether all are judged as they should be */
export async function judgeSamples(): Promise<boolean> {
  let areRight = true;
  for (const { name, document, isBreaking: shouldBreak, before, change } of SAMPLES) {
    const released = readReleased(document);
    before?.(released);
    const changed = structuredClone(released);
    change(changed);
    const changes = await changesBetween(comparable(document, released), comparable(document, changed));
    // A change that isn't seen would pass for an additive one.
    const isRight = changes.length > 0 && changes.some(isBreaking) === shouldBreak;
    console.log(`${isRight ? 'ok   ' : 'WRONG'}  ${document}: ${name}: ${shouldBreak ? 'breaking' : 'additive'}`);
    if (!isRight) console.log(changes.map(({ id, text, level }) => `       ${level} ${id}: ${text}`).join('\n'));
    areRight &&= isRight;
  }
  return areRight;
}
