import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger, PinoLogger } from 'nestjs-pino';
import { AppError } from './common/errors/app-error.js';
import { ClientAddressFinder } from './common/http/client-address.finder.js';
import { limitConnections } from './common/http/connection-limit.js';
import { ProblemFilter } from './common/http/problem.filter.js';
import { ShutdownState } from './common/shutdown.state.js';
import { ContractValidationPipe } from './common/validation/validation.pipe.js';
import { type AppConfig, appConfig } from './config/app.config.js';
import { logRequests } from './logging/request-log.js';
import { MetricsService } from './metrics/metrics.service.js';
import { setupApiDocs } from './api-docs/setup.js';
import { SocketAdapter } from './realtime/connections/socket.adapter.js';

/**
 * helmet's defaults, with a content security policy for Swagger UI at /docs: its own files and inline styles. The API
 * itself needs none.
 */
const SECURITY_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      baseUri: ["'none'"],
      connectSrc: ["'self'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
    },
  },
};

/**
 * Sets an application up; `startup.ts` and the tests call it before it listens. What both must have belongs here: logs,
 * the limit of connections, the address of each request, the validation pipe, the error filter, sockets, security
 * headers, CORS, the documents of the API, metrics, and the refusal of requests on shutdown.
 */
export async function setupApp(app: NestFastifyApplication): Promise<NestFastifyApplication> {
  const config = app.get<AppConfig>(appConfig.KEY);
  app.useLogger(app.get(Logger));
  app.flushLogs();
  const addresses = app.get(ClientAddressFinder);
  if (config.rateLimit) limitConnections(app.getHttpServer(), (address) => addresses.isTrustedProxy(address));
  addressRequests(app, addresses);
  app.useGlobalPipes(new ContractValidationPipe());
  app.useGlobalFilters(new ProblemFilter());
  const pino = await app.resolve<PinoLogger>(PinoLogger);
  app.useWebSocketAdapter(new SocketAdapter(app, config.corsOrigins, pino));
  await app.register(helmet, SECURITY_HEADERS);
  app.enableCors({
    origin: config.corsOrigins === true ? true : [...config.corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    // With the strict check, an OPTIONS that is no preflight would be refused with plain text.
    strictPreflight: false,
    exposedHeaders: [
      'X-Request-Id',
      'X-Total-Count',
      'Idempotent-Replayed',
      'Retry-After',
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
    ],
  });
  setupApiDocs(app);
  logRequests(app.getHttpAdapter().getInstance(), pino);
  countRequests(app, app.get(MetricsService));
  refuseOnShutdown(app, app.get(ShutdownState));
  return app;
}

/** Makes each request an `AddressedRequest`, before any other hook. */
function addressRequests(app: NestFastifyApplication, addresses: ClientAddressFinder): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.decorateRequest('address', '');
  fastify.addHook('onRequest', (request, _reply, done) => {
    // Now, as a connection that has closed has none.
    Object.assign(request, { address: addresses.addressOf(request.raw) });
    done();
  });
}

/** The routes that a stopping process still serves. Any other request is refused, for another node to serve. */
const SERVED_WHILE_STOPPING: readonly (string | undefined)[] = ['/health/live', '/metrics'];

function refuseOnShutdown(app: NestFastifyApplication, shutdown: ShutdownState): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      if (!shutdown.hasBegun) return done();
      void reply.header('Connection', 'close');
      const isServed = SERVED_WHILE_STOPPING.includes(request.routeOptions.url);
      done(isServed ? undefined : new AppError('unavailable', 'The server is stopping.'));
    });
}

function countRequests(app: NestFastifyApplication, metrics: MetricsService): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      // The route's pattern, not the path: a label with ids would make a time series of each id.
      const route = request.routeOptions.url ?? 'none';
      metrics.observeRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
      done();
    });
}
