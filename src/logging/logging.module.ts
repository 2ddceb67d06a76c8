import { Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Options } from 'pino-http';
import type { DestinationStream, LoggerOptions } from 'pino';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { loggedError } from './logged-error.js';

/**
 * The log: pino through nestjs-pino, JSON lines in production and readable lines elsewhere. `request-log.ts` logs the
 * requests.
 */
@Module({
  imports: [
    LoggerModule.forRootAsync({
      inject: [appConfig.KEY],
      useFactory: async ({ logLevel, production }: AppConfig) => {
        const options: Options = {
          level: logLevel,
          base: undefined,
          hooks: { logMethod: skipStartUpNoise },
          serializers: { err: loggedError },
          wrapSerializers: false,
        };
        return { forRoutes: [], pinoHttp: production ? options : [options, await readableLines()] };
      },
    }),
  ],
})
export class LoggingModule {}

/**
 * Nest's classes that log a line for each module and route at start. These lines are written at level debug or lower
 * only.
 */
const NEST_START_UP = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'WebSocketsController']);
/** pino's number for the level info. */
const INFO = 30;

const skipStartUpNoise: NonNullable<LoggerOptions['hooks']>['logMethod'] = function (args, method, level) {
  const { context } = args[0] as { context?: string };
  const isNoise = level === INFO && context !== undefined && NEST_START_UP.has(context);
  if (!isNoise || this.isLevelEnabled('debug')) method.apply(this, args);
};

/** Readable lines with pino-pretty, a development dependency; JSON lines where it isn't installed. */
async function readableLines(): Promise<DestinationStream> {
  try {
    const { default: pretty } = await import('pino-pretty');
    return pretty({ singleLine: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' });
  } catch {
    return process.stdout;
  }
}
