import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Chat } from '../../src/contract/chats.js';
import { createDatabase } from '../support/database.js';
import { Device } from '../support/device.js';
import { request } from '../support/http.js';
import { inTemporaryFolder, ServerProcess } from '../support/server-process.js';
import { type Input, input } from './inputs.js';
import { type Fixture, send } from './target.js';

/**
 * The fuzzer. It sends FUZZ_RUNS random malformed requests and frames to the built application, which runs in a separate
 * process: 10,000 in `npm run test:long`, 100,000 in `npm run test:fuzz`. Inputs that fail are added to
 * corpus.json, and later runs send them first.
 */
const RUNS = Number(process.env.FUZZ_RUNS ?? 10_000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const CORPUS = new URL('corpus.json', import.meta.url);

/** Inputs sent at once. */
const MAX_BATCH = 64;
const BATCHES_PER_ROUND = 20;
/** How much memory a run may add after its first quarter, in bytes. */
const MEMORY_ALLOWED = 24 * 1024 * 1024;
/** Differs from the example in the OpenAPI document: an input with that example would change the password. */
const PASSWORD = 'a password that nobody guesses';

const corpus = JSON.parse(readFileSync(CORPUS, 'utf8')) as { why: string; inputs: Input[] }[];

describe('random malformed input', () => {
  let drop: () => Promise<void>;
  let server: ServerProcess;
  let url: string;
  let stopped: Promise<unknown>;
  let bystander: Device;
  let chat: Chat;
  let fixture: Fixture;
  let email: string;

  beforeAll(async () => {
    const database = await createDatabase();
    drop = database.drop;
    let ready: () => void;
    const started = new Promise<void>((resolve) => (ready = resolve));
    stopped = inTemporaryFolder(async (dir) => {
      server = ServerProcess.start(dir, {
        DATABASE_URL: database.url,
        JWT_SECRET: 'a secret of the tests, long enough',
        LOG_LEVEL: 'error',
        ACCESS_TOKEN_TTL: '1d',
        RATE_LIMIT: 'off',
        NODE_OPTIONS: `--import ${new URL('process-monitor.js', import.meta.url).href}`,
      });
      url = await server.url();
      ready();
      await server.exitCode();
    });
    await Promise.race([started, stopped]);
    const other = await createFixture('bystander@example.com');
    bystander = await Device.connect(url, other.token as string);
    chat = (await request<Chat>(url, 'POST', '/groups', { token: other.token as string, body: { name: 'Bystanders' } }))
      .body;
    email = 'mallory@example.com';
    fixture = await createFixture(email);
  }, 60_000);
  afterAll(async () => {
    bystander.close();
    await server.stop('SIGTERM');
    await stopped;
    await drop();
  });

  /** A user with a chat, a message and a session, which the inputs refer to. */
  async function createFixture(address: string): Promise<Fixture> {
    await request(url, 'POST', '/auth/register', { body: { name: 'Mallory', email: address, password: PASSWORD } });
    const { body } = await request(url, 'POST', '/auth/login', { body: { username: address, password: PASSWORD } });
    const token = body.access_token as string;
    const [me, sessions, group] = await Promise.all([
      request(url, 'GET', '/auth/me', { token }),
      request(url, 'GET', '/auth/sessions', { token }),
      request(url, 'POST', '/groups', { token, body: { name: 'A group' } }),
    ]);
    const message = await request(url, 'POST', '/messages', { token, body: { chat_id: group.body.id, text: 'Hello' } });
    return { token, user: me.body.id, session: sessions.body[0].id, chat: group.body.id, message: message.body.id };
  }

  /** Sends a batch of inputs, checks that a bystander is still served, and replaces a fixture that was deleted. */
  async function sendBatch(inputs: readonly Input[]): Promise<void> {
    const problems = await Promise.all(inputs.map((one) => send(url, one, fixture)));
    expect(problems.filter((complaint) => complaint !== undefined)).toEqual([]);
    const answer = await bystander.command('typing', { chat_id: chat.id, is_typing: true });
    expect(answer).toEqual({ ok: true, data: {} });
    const { status, body } = await request(url, 'GET', `/messages/${fixture.message}`, {
      token: fixture.token as string,
    });
    if (status !== 200 || body.text === null) fixture = await createFixture(email);
  }

  let reports = 0;
  /** The memory in use, in bytes. Checks that the monitor reports no problem in the process. */
  async function inspect(): Promise<number> {
    server.sendSignal('SIGUSR2');
    const [, memory, prototype] = await server.until(
      new RegExp(`monitor: report ${(reports += 1)} memory=(\\d+) prototype=(.*)`),
    );
    expect(prototype).toBe('clean');
    expect(server.output).not.toMatch(/monitor: uncaught|internal_error|"level":[56]0/);
    expect((await request(url, 'GET', '/health/ready')).status).toBe(200);
    return Number(memory);
  }

  it('gets the documented answers for every input of the corpus', async () => {
    for (const { inputs } of corpus) await sendBatch(inputs);
    await inspect();
  });

  it(
    `gets the documented answers (${RUNS} inputs from seed ${SEED})`,
    async () => {
      const memory: number[] = [];
      let sent = 0;
      const property = fc.asyncProperty(
        fc.array(input, { minLength: 1, maxLength: MAX_BATCH, size: 'max' }),
        async (inputs) => {
          sent += inputs.length;
          await sendBatch(inputs);
        },
      );
      for (let seed = SEED; sent < RUNS; seed += 1) {
        const run = await fc.check(property, { seed, numRuns: BATCHES_PER_ROUND });
        if (run.failed) {
          const [inputs] = run.counterexample!;
          if (process.env.FUZZ_KEEP) addToCorpus(`seed ${seed}`, inputs);
          throw new Error(`seed ${seed}: ${JSON.stringify(inputs)}`, { cause: run.errorInstance });
        }
        const now = await inspect();
        if (process.env.FUZZ_RUNS) process.stderr.write(`${sent} inputs, up to seed ${seed}\n`);
        if (sent >= RUNS / 4) memory.push(now);
      }
      expect(memory.at(-1)! - memory[0]!).toBeLessThan(MEMORY_ALLOWED);
      if (process.env.FUZZ_RUNS) console.log(`${sent} inputs; memory in use, in bytes: ${memory.join(' ')}`);
    },
    60_000 + 30 * RUNS,
  );
});

function addToCorpus(why: string, inputs: Input[]): void {
  writeFileSync(CORPUS, `${JSON.stringify([...corpus, { why, inputs }], null, 2)}\n`);
}
