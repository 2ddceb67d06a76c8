import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import {
  ProblemDto,
  problemExamples,
  type ProblemResponse,
  problemResponses,
} from '../common/http/api-problems.decorator.js';
import type { ErrorCode } from '../contract/errors.js';
import { PUBLIC_EXTENSION } from '../common/http/public.decorator.js';
import { BUDGETS } from '../limits/budgets.js';
import { UNLIMITED_EXTENSION } from '../limits/rate-limit.decorator.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** The OpenAPI document of the REST API: `/docs`, `/openapi.json` and the file `openapi.json` in the repository. */

const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;

/** Paths that are aliases of another path. The document marks them, and gives them operation ids of their own. */
const ALIASES = new Set(['/register', '/login', '/history/{chat_id}']);

const DESCRIPTION = `The REST side of WinDI Chat. Errors are RFC 9457 problems; switch on their \`code\`.
Every answer has an \`X-Request-Id\`. Sockets, Socket.IO on \`/socket.io\` and plain
WebSocket on \`/ws/chat\` and \`/ws/{chat_id}\`, are described in docs/realtime.md.

Requests are limited for each user or, without a token, for each address: ${BUDGETS.requests.limit} in ${BUDGETS.requests.seconds} s,
or what an operation's \`x-rate-limit\` says. Answers carry \`X-RateLimit-Limit\`, \`X-RateLimit-Remaining\` and
\`X-RateLimit-Reset\`, the seconds until the window ends.`;

/** Serves `/docs` and `/openapi.json`. The document is made when it is first asked for: a start doesn't wait for it. */
export function setupOpenApi(app: INestApplication): void {
  const document = (): OpenAPIObject => createOpenApi(app);
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'openapi.json', customSiteTitle: 'WinDI Chat' });
}

/** Makes the OpenAPI document; a previewed application (`preview: true`), which has no providers, is enough. */
export function createOpenApi(app: INestApplication): OpenAPIObject {
  const options = new DocumentBuilder()
    .setTitle('WinDI Chat')
    .setDescription(DESCRIPTION)
    .setVersion('0.1.0')
    .addServer('/')
    .addOAuth2(
      {
        type: 'oauth2',
        flows: { password: { tokenUrl: '/auth/login', scopes: {} } },
        description: 'Your email and password.',
      },
      'password',
    )
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer')
    .build();
  const document = SwaggerModule.createDocument(app, options, {
    operationIdFactory: (_controller, method) => method,
    extraModels: [ProblemDto],
  });
  document.components = { ...document.components, examples: problemExamples() };
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) complete(operation, path);
    }
  }
  return document;
}

/**
 * Adds what follows from rules common to all operations: who may call it, and the errors that any operation can have.
 */
function complete(operation: Operation, path: string): void {
  const common: ErrorCode[] = ['internal_error', 'unavailable'];
  if (PUBLIC_EXTENSION in operation) {
    operation.security = [];
  } else {
    operation.security = [{ password: [] }, { bearer: [] }];
    common.unshift('unauthorized', 'token_expired');
  }
  if (!(UNLIMITED_EXTENSION in operation)) common.push('rate_limited');
  if (operation.requestBody) common.push('payload_too_large', 'unsupported_media_type');
  // Nest numbers the operations of a route with several paths: `login[0]`, `login[1]`.
  operation.operationId = operation.operationId?.replace(/\[\d+\]$/, '');
  if (ALIASES.has(path)) {
    operation.operationId = `${operation.operationId}Alias`;
    operation.summary = `${operation.summary} (an alias)`;
  }
  // A route may document another code of the same status: the response then has both.
  const own = Object.values(operation.responses).flatMap(
    (response) => Object.keys(examplesOf(response)) as ErrorCode[],
  );
  Object.assign(operation.responses, problemResponses(...new Set([...own, ...common])));
}

function examplesOf(response: unknown): object {
  return (response as Partial<ProblemResponse>).content?.['application/problem+json']?.examples ?? {};
}
