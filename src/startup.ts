import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { ShutdownState } from './common/shutdown.state.js';
import { StartupError } from './common/errors/startup-error.js';
import { type AppConfig, appConfig } from './config/app.config.js';

/** A stop that hangs is ended after this long: whoever runs the process may kill it after ten seconds. */
const STOP_TIMEOUT_MS = 9_500;

/** Listens, and says where. @throws StartupError when the port is taken */
export async function listen(app: NestFastifyApplication): Promise<void> {
  const { port, host, dataDir, databaseUrl } = app.get<AppConfig>(appConfig.KEY);
  await app.init();
  try {
    app.useLogger(false); // Nest would log a taken port with its stack; the line below is enough.
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
 * Ctrl-C and SIGTERM close the application, then end the process with code 0, also when something hangs: what was acked
 * is committed by then. A second signal doesn't wait.
 */
export function stopOnSignals(app: NestFastifyApplication): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    app.get(ShutdownState).begin(); // At once; Nest's first hook may have to wait for the start.
    setTimeout(() => process.exit(0), STOP_TIMEOUT_MS).unref();
    app.close().then(() => process.exit(0), explainAndExit);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** One line for what the person can mend, everything for what they can't. */
export function explainAndExit(error: unknown): never {
  process.stderr.write(`${error instanceof StartupError ? error.message : String((error as Error).stack ?? error)}\n`);
  process.exit(1);
}
