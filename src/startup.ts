import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module.js';
import { setupApp } from './app.setup.js';
import { explainAndExit, StartupError } from './common/errors/startup-error.js';
import { createHttpAdapter } from './common/http/http-adapter.js';
import { ShutdownState } from './common/shutdown.state.js';
import { type AppConfig, appConfig } from './config/app.config.js';

/** How the process starts, listens and stops on signals. Only `main.ts` uses it. */

/** A stop that takes longer is cut off, in milliseconds. Docker and others kill a process after ten seconds. */
const STOP_TIMEOUT_MS = 9_500;

/** Creates the application, sets it up, and listens. @throws StartupError when the person who started it can mend it */
export async function startServer(): Promise<void> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, createHttpAdapter(), {
    bufferLogs: true,
    autoFlushLogs: false,
    abortOnError: false,
  });
  stopOnSignals(await setupApp(app));
  await listen(app);
}

/** Starts the application, listens, and prints where. @throws StartupError when the port is taken */
export async function listen(app: NestFastifyApplication): Promise<void> {
  const { port, host, dataDir, databaseUrl } = app.get<AppConfig>(appConfig.KEY);
  await app.init();
  try {
    app.useLogger(false); // Nest would log a taken port with a stack trace; the error below says it in a line.
    await app.listen(port, host);
    app.useLogger(app.get(Logger));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    await app.close();
    throw new StartupError(
      code === 'EADDRINUSE'
        ? `Port ${port} is taken: stop what uses it, or set PORT.`
        : `Can't listen on ${host}:${port} (${code}).`,
    );
  }
  const url = (await app.getUrl()).replace(/\/\/(127\.0\.0\.1|\[::1?\]|0\.0\.0\.0)/, '//localhost');
  const database = databaseUrl === undefined ? `PostgreSQL in ${dataDir}` : 'PostgreSQL at DATABASE_URL';
  process.stdout.write(`\nWinDI Chat is at ${url}\n  API: ${url}/docs\n  data: ${database}\n  stop: Ctrl-C\n\n`);
}

/**
 * Ctrl-C and SIGTERM close the application and end the process with code 0. When closing hangs, the process ends with
 * code 0 after `STOP_TIMEOUT_MS`: a write is committed before its ack, so nothing acked is lost. A second signal ends
 * it at once, with code 1.
 */
export function stopOnSignals(app: NestFastifyApplication): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    app.get(ShutdownState).begin(); // At once, as Nest's first shutdown hook may have to wait for the start.
    setTimeout(() => process.exit(0), STOP_TIMEOUT_MS).unref();
    app.close().then(() => process.exit(0), explainAndExit);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
