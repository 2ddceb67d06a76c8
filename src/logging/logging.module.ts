import { Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Options } from 'pino-http';
import type { DestinationStream, LoggerOptions } from 'pino';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { loggedError } from './logged-error.js';

/** pino through nestjs-pino: JSON lines in production, readable ones elsewhere. */
@Module({
  imports: [
    LoggerModule.forRootAsync({
      inject: [appConfig.KEY],
      useFactory: async ({ logLevel, production }: AppConfig) => {
        const options: Options = {
          level: logLevel,
          base: undefined,
          hooks: { logMethod: quietly },
          serializers: { err: loggedError },
          wrapSerializers: false,
        };
        return { forRoutes: [], pinoHttp: production ? options : [options, await readableLines()] };
      },
    }),
  ],
})
export class LoggingModule {}

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
