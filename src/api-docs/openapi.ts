import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { CREATE_CHAT } from '../chats/dto/chat-input.dto.js';
import { ProblemDto, problemExamples } from '../common/http/api-problems.decorator.js';
import { BUDGETS } from '../limits/budgets.js';
import { referredFrom, type Schema, toJsonSchema, toJsonSchemas } from './json-schema.js';
import { completeOperation, METHODS, type Operation } from './operations.js';
import { HEADERS } from './response-headers.js';

/** The OpenAPI document of the REST API: `/docs`, `/openapi.json` and the file `openapi.json` in the repository. */

const DESCRIPTION = `The REST side of WinDI Chat. Errors are RFC 9457 problems: switch on their \`code\`. More codes and more
fields of answers may be added at any time; a client ignores those it does not know.

Sockets, Socket.IO on \`/socket.io\` and plain WebSocket on \`/ws/chat\` and \`/ws/{chat_id}\`, are described in
docs/realtime.md.

Requests are limited for each user or, without a token, for each address: ${BUDGETS.requests.limit} in ${BUDGETS.requests.seconds} s,
or what an operation's \`x-rate-limit\` says.

Ids and counters are integers up to 2^53-1. Times are RFC 3339 in UTC with milliseconds. A body is JSON in UTF-8 of at
most 64 KiB, if an operation says nothing else, and has no fields but those of its schema.`;

const TAGS = {
  auth: 'Accounts, logins and sessions.',
  users: 'People, blocks, and your own account.',
  chats: 'Private chats and groups: opening, listing, members.',
  groups: 'Groups: names, members and roles.',
  messages: 'Sending, reading, editing and deleting messages, history, and sync.',
  service: 'For those who run the server.',
};

/** Requests without a required field that need one of their fields at least, which no decorator can say. */
const NOT_EMPTY: ReadonlySet<string> = new Set(['Grant', 'UpdateUser']);

/** The server of the committed document: what `npm start` runs. */
const LOCAL_SERVER = { url: 'http://localhost:8000', description: 'A server on your own machine.' };
/** That of the served document. A page at /docs may only send to its own origin. */
const THIS_SERVER = { url: '/', description: 'The server that this document came from.' };

/** Serves `/docs` and `/openapi.json`. */
export function setupOpenApi(app: INestApplication): void {
  const document = (): OpenAPIObject => ({ ...createOpenApi(app), servers: [THIS_SERVER] });
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'openapi.json', customSiteTitle: 'WinDI Chat' });
}

/** Makes the OpenAPI document; a previewed application (`preview: true`), which has no providers, is enough. */
export function createOpenApi(app: INestApplication): OpenAPIObject {
  const document = SwaggerModule.createDocument(app, options(), {
    operationIdFactory: (_controller, method) => method,
    extraModels: [ProblemDto],
  });
  for (const [path, operation] of operationsOf(document)) completeOperation(operation, path);
  const schemas = toJsonSchemas({ ...document.components?.schemas, CreateChat: CREATE_CHAT });
  closeRequests(document, schemas);
  document.components = { ...document.components, schemas, headers: HEADERS, examples: examplesIn(document) };
  return document;
}

function options(): Omit<OpenAPIObject, 'paths'> {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('WinDI Chat')
    .setDescription(DESCRIPTION)
    .setVersion('0.1.0')
    .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
    .addServer(LOCAL_SERVER.url, LOCAL_SERVER.description)
    .addOAuth2(
      {
        type: 'oauth2',
        flows: { password: { tokenUrl: '/auth/login', refreshUrl: '/auth/login', scopes: {} } },
        description: 'Your email and password.',
      },
      'password',
    )
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer');
  for (const [name, description] of Object.entries(TAGS)) builder.addTag(name, description);
  const built = builder.build();
  // `setContact` would add an empty address of a page and of a mailbox.
  return { ...built, info: { ...built.info, contact: { name: 'The developers of WinDI Chat' } } };
}

/** All operations with their paths. */
function operationsOf(document: OpenAPIObject): [path: string, operation: Operation][] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] ? [[path, item[method]] as [string, Operation]] : [])),
  );
}

/** An example of each error that an operation names. */
function examplesIn({ paths }: OpenAPIObject): ReturnType<typeof problemExamples> {
  const text = JSON.stringify(paths);
  const examples = Object.entries(problemExamples());
  return Object.fromEntries(examples.filter(([code]) => text.includes(`"#/components/examples/${code}"`)));
}

/** Says of what a client sends that it has no other fields, which the server refuses, and which of them it needs. */
function closeRequests(document: OpenAPIObject, schemas: Record<string, Schema>): void {
  const bodies = operationsOf(document).map(([, { requestBody }]) => requestBody);
  for (const name of referredFrom(toJsonSchema(bodies), schemas)) {
    const schema = schemas[name]!;
    if (schema.type === 'object') schema.additionalProperties = false;
    // Not by `anyOf` of `required`: generators make a type of each branch, or fail.
    if (NOT_EMPTY.has(name)) schema.minProperties = 1;
  }
}
