import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger, PinoLogger } from 'nestjs-pino';
import { AppError } from './common/errors/app-error.js';
import { ProblemFilter } from './common/http/problem.filter.js';
import { ShutdownState } from './common/shutdown.state.js';
import { ContractValidationPipe } from './common/validation/validation.pipe.js';
import { type AppConfig, appConfig } from './config/app.config.js';
import { logRequests } from './logging/request-log.js';
import { MetricsService } from './metrics/metrics.service.js';
import { setupOpenApi } from './openapi.js';
import { SocketAdapter } from './realtime/connections/socket.adapter.js';

/** helmet's own, and a content security policy for Swagger UI at /docs: its files, and the styles it makes; the API needs none. */
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

/** What the application of `main.ts` and that of the tests share: logs, pipes, filters, sockets, headers, CORS, OpenAPI, metrics. */
export async function setupApp(app: NestFastifyApplication): Promise<NestFastifyApplication> {
  const config = app.get<AppConfig>(appConfig.KEY);
  app.useLogger(app.get(Logger));
  app.flushLogs();
  app.useGlobalPipes(new ContractValidationPipe());
  app.useGlobalFilters(new ProblemFilter());
  const pino = await app.resolve<PinoLogger>(PinoLogger);
  app.useWebSocketAdapter(new SocketAdapter(app, config.corsOrigins, pino));
  await app.register(helmet, SECURITY_HEADERS);
  app.enableCors({
    origin: config.corsOrigins === true ? true : [...config.corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    // An OPTIONS that is no preflight would be refused with plain text.
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
  setupOpenApi(app);
  logRequests(app.getHttpAdapter().getInstance(), pino);
  countRequests(app, app.get(MetricsService));
  refuseOnShutdown(app, app.get(ShutdownState));
  return app;
}

/** What a process that stops still answers; every other request belongs to another node by now. */
const UNTIL_THE_END: readonly (string | undefined)[] = ['/health/live', '/metrics'];

function refuseOnShutdown(app: NestFastifyApplication, shutdown: ShutdownState): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      if (!shutdown.hasBegun) return done();
      void reply.header('Connection', 'close');
      const isTaken = UNTIL_THE_END.includes(request.routeOptions.url);
      done(isTaken ? undefined : new AppError('unavailable', 'The server is stopping.'));
    });
}

function countRequests(app: NestFastifyApplication, metrics: MetricsService): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      // The route's pattern, not the path: a label must not grow with the data.
      const route = request.routeOptions.url ?? 'none';
      metrics.observeRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
      done();
    });
}
