import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from './support/http.js';
import { untilReady, untilServed } from './support/ready.js';
import { inTemporaryFolder, ServerProcess } from './support/server-process.js';
import { PASSWORD } from './support/test-app.js';

/** For tests that start several processes, on a machine that is busy. */
const TIMEOUT_MS = 60_000;

/** Starts and stops the built application as a process, without DATABASE_URL. */
describe('startup without a database', () => {
  afterEach(() => ServerProcess.stopAll());

  const starting = (title: string, test: (dir: string) => Promise<void>): void =>
    it(title, () => inTemporaryFolder(test), TIMEOUT_MS);

  const postgresPid = async (dir: string): Promise<number> =>
    Number((await readFile(join(dir, '.data/postgres/postmaster.pid'), 'utf8')).split('\n')[0]);
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const account = { name: 'Ada', email: 'ada@example.com', password: PASSWORD };
  const login = (url: string) =>
    request(url, 'POST', '/auth/login', { body: { email: account.email, password: PASSWORD } });

  starting(
    'starts an embedded PostgreSQL, prints the address, stops cleanly on Ctrl-C, and keeps data and tokens',
    async (dir) => {
      const first = ServerProcess.start(dir);
      const url = await first.url();
      expect(first.output).toContain(`${url}/docs`);
      expect(first.output).toContain(join(dir, '.data'));
      await request(url, 'POST', '/auth/register', { body: account });
      const { body } = await login(url);
      const postgres = await postgresPid(dir);
      expect(await first.stop('SIGINT')).toBe(0);
      expect(isAlive(postgres)).toBe(false);

      const second = ServerProcess.start(dir);
      const me = await request(await second.url(), 'GET', '/auth/me', { token: body.access_token });
      expect([me.status, me.body.name]).toEqual([200, 'Ada']);
      expect(await second.stop('SIGTERM')).toBe(0);
    },
  );

  starting(
    'succeeds after a kill -9, whether the embedded PostgreSQL is still running or was killed, too',
    async (dir) => {
      const killed = ServerProcess.start(dir);
      await request(await killed.url(), 'POST', '/auth/register', { body: account });
      const orphan = await postgresPid(dir);
      await killed.stop('SIGKILL');
      expect(isAlive(orphan)).toBe(true);

      const next = ServerProcess.start(dir);
      expect((await login(await next.url())).status).toBe(200);
      const postgres = await postgresPid(dir);
      expect([postgres === orphan, isAlive(orphan)]).toEqual([false, false]);
      await next.stop('SIGKILL');
      process.kill(postgres, 'SIGKILL');

      // Now postmaster.pid names a process that has ended.
      const last = ServerProcess.start(dir);
      expect((await login(await last.url())).status).toBe(200);
      expect(await last.stop('SIGINT')).toBe(0);
    },
  );

  starting(
    'is followed by a new start of the embedded PostgreSQL when that is killed; the node is not ready meanwhile',
    async (dir) => {
      const server = ServerProcess.start(dir);
      const url = await server.url();
      await request(url, 'POST', '/auth/register', { body: account });
      const killed = await postgresPid(dir);
      process.kill(killed, 'SIGKILL');
      // At least for the half second before the first try to start it.
      await untilReady(url, false);
      await server.until(/postgres\.started/);
      await untilReady(url);
      await untilServed(() => login(url));
      const postgres = await postgresPid(dir);
      expect([postgres === killed, isAlive(postgres)]).toEqual([false, true]);
      expect(await server.stop('SIGINT')).toBe(0);
      expect(isAlive(postgres)).toBe(false);
      expect(server.output.match(/postgres\.\w+/g)).toEqual(['postgres.ended', 'postgres.started']);
    },
  );

  starting('reports in one line that the data folder is in use, also by an unresponsive server', async (dir) => {
    const first = ServerProcess.start(dir);
    const url = await first.url();
    const postgres = await postgresPid(dir);
    const expectRefusal = async (): Promise<void> => {
      const second = ServerProcess.start(dir);
      expect(await second.exitCode()).toBe(1);
      expect(second.output.trim()).toMatch(/^Another WinDI Chat is running on the data folder .*DATA_DIR\.$/);
    };
    await expectRefusal();
    expect((await request(url, 'GET', '/health/ready')).status).toBe(200);
    process.kill(postgres, 'SIGSTOP');
    await expectRefusal();
    process.kill(postgres, 'SIGCONT');
    // The pool may have opened its circuit meanwhile; it probes until PostgreSQL answers.
    while ((await request(url, 'GET', '/health/ready')).status !== 200);
    expect(await postgresPid(dir)).toBe(postgres);
    await first.stop('SIGINT');
  });
});
