import { Module } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { LoggerModule } from 'nestjs-pino';
import type { Options } from 'pino-http';
import type { DestinationStream, LoggerOptions } from 'pino';
import { type AppConfig, appConfig } from '../config/app.config.js';

/** pino through nestjs-pino: JSON lines in production, readable ones elsewhere; one line for each request, with its status and time. */
@Module({
  imports: [
    LoggerModule.forRootAsync({
      inject: [appConfig.KEY],
      useFactory: async (config: AppConfig) => ({
        pinoHttp: config.production ? options(config) : [options(config), await readableLines()],
      }),
    }),
  ],
})
export class LoggingModule {}

function options({ logLevel }: AppConfig): Options {
  return {
    level: logLevel,
    base: undefined,
    quietReqLogger: true,
    // The id Fastify has given the request; it is in the answer, too.
    genReqId: (request) => (request as unknown as FastifyRequest).id,
    customAttributeKeys: { reqId: 'request_id', responseTime: 'duration_ms' },
    // The path without its query: a query may hold a token or an email.
    serializers: {
      req: (request: { method: string; url: string }) => ({ method: request.method, path: request.url.split('?')[0] }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
    },
    hooks: { logMethod: quietly },
    customLogLevel: (_, response, error) => (error || response.statusCode >= 500 ? 'error' : 'info'),
  };
}

/** What Nest says of each module and route at start; worth a line only to somebody who looks for it. */
const NEST_START_UP = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'WebSocketsController']);
const INFO = 30;

const quietly: NonNullable<LoggerOptions['hooks']>['logMethod'] = function (args, method, level) {
  const { context } = args[0] as { context?: string };
  const isNoise = level === INFO && context !== undefined && NEST_START_UP.has(context);
  if (!isNoise || this.isLevelEnabled('debug')) method.apply(this, args);
};

/** pino-pretty is a development dependency; without it, JSON lines do. */
async function readableLines(): Promise<DestinationStream> {
  try {
    const { default: pretty } = await import('pino-pretty');
    return pretty({ singleLine: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' });
  } catch {
    return process.stdout;
  }
}
