import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { AppModule } from '../../src/app.module.js';
import { setupApp } from '../../src/app.setup.js';
import { createHttpAdapter } from '../../src/common/http/http-adapter.js';
import { ARGON2_OPTIONS, DEFAULT_ARGON2_OPTIONS, PasswordsService } from '../../src/auth/passwords.service.js';
import { SessionsService } from '../../src/auth/sessions.service.js';
import { type AppConfig, appConfig, loadConfig } from '../../src/config/app.config.js';
import {
  DEFAULT_REALTIME_OPTIONS,
  REALTIME_OPTIONS,
  type RealtimeOptions,
} from '../../src/realtime/realtime.options.js';
import type { Chat } from '../../src/contract/chats.js';
import type { Message } from '../../src/contract/messages.js';
import { nameTerms } from '../../src/users/name-terms.js';
import { ActivityWriter } from '../../src/messages/activity.writer.js';
import { createDatabase, onDatabase } from './database.js';
import { Device } from './device.js';
import { type Answer, request, type RequestOptions } from './http.js';

let serial = 0;
/** Returns a number that is unique in this process. */
export const unique = (): number => ++serial;

export const PASSWORD = 'correct horse';

/** For specs that log in many hundred times: a hash takes some 30 ms of a core with the server's own parameters. */
export const CHEAP_HASHES = { memoryCost: 64, timeCost: 1, parallelism: 1 };

/** What the server sees of `fetch` in Node, which the specs send requests with. */
const CLIENT = { userAgent: 'node', address: '127.0.0.1' };

/** The real application on a free port, with a separate database. */
export class TestApp {
  private readonly devices: Device[] = [];
  private passwordHash: Promise<string> | undefined;

  private constructor(
    readonly nest: NestFastifyApplication,
    readonly url: string,
    readonly databaseUrl: string,
    private readonly dropDatabase: () => Promise<void>,
  ) {}

  /** With `databaseUrl` in `overrides` it is a further node on an existing database. */
  static async start(
    overrides: Partial<AppConfig> = {},
    realtimeOptions: Partial<RealtimeOptions> = {},
    argon2Options = DEFAULT_ARGON2_OPTIONS,
  ): Promise<TestApp> {
    const database = overrides.databaseUrl
      ? { url: overrides.databaseUrl, drop: () => Promise.resolve() }
      : await createDatabase();
    const env = {
      DATABASE_URL: database.url,
      JWT_SECRET: 'a secret of the tests, long enough',
      LOG_LEVEL: 'silent',
      RATE_LIMIT: 'off', // Specs send more for one user than the limits allow.
      DATA_DIR: tmpdir(),
    };
    const config: AppConfig = { ...loadConfig(env), ...overrides };
    const testing = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(appConfig.KEY)
      .useValue(config)
      .overrideProvider(REALTIME_OPTIONS)
      .useValue({ ...DEFAULT_REALTIME_OPTIONS, ...realtimeOptions })
      .overrideProvider(ARGON2_OPTIONS)
      .useValue(argon2Options)
      .compile();
    const nest = testing.createNestApplication<NestFastifyApplication>(createHttpAdapter(), { bufferLogs: true });
    await setupApp(nest);
    await nest.listen(0, '127.0.0.1');
    return new TestApp(nest, await nest.getUrl(), database.url, database.drop);
  }

  request<T = any>(method: string, path: string, options?: RequestOptions): Promise<Answer<T>> {
    return request<T>(this.url, method, path, options);
  }

  /** Writes the activity of all messages so far. From then on they change no order of chats. */
  async writeActivity(): Promise<void> {
    const writer = this.nest.get(ActivityWriter);
    await writer.write(); // Maybe a run that began before the last message.
    await writer.write();
  }

  /** Runs SQL on the database, for state that no client can see. */
  async sql<T = any>(text: string, parameters: unknown[] = []): Promise<T[]> {
    return onDatabase(this.databaseUrl, async (client) => (await client.query(text, parameters)).rows as T[]);
  }

  /**
   * A new user with a session, as registering and logging in leave them. Only the hash of the password is made once for
   * all of them: two hashes for each user were a large part of the time of most specs.
   */
  async user(name = `User ${unique()}`): Promise<TestUser> {
    const email = `${randomBytes(6).toString('hex')}@example.com`;
    this.passwordHash ??= this.nest.get(PasswordsService).hash(PASSWORD);
    const [row] = await this.nest
      .get(DataSource)
      .query<[{ id: number }]>(
        'INSERT INTO users (name, search_terms, email, password_hash) VALUES ($1, $2, $3, $4) RETURNING id',
        [name, nameTerms(name), email, await this.passwordHash],
      );
    const { tokens } = await this.nest.get(SessionsService).open(row.id, CLIENT);
    return new TestUser(this, row.id, name, email, tokens.access_token, tokens.refresh_token);
  }

  /** Logs a user in on one more device: a new session. */
  async login({ id, name, email }: Pick<TestUser, 'id' | 'name' | 'email'>, password = PASSWORD): Promise<TestUser> {
    const { body } = await this.request('POST', '/auth/login', { body: { username: email, password } });
    return new TestUser(this, id, name, email, body.access_token as string, body.refresh_token as string);
  }

  /** New users, sorted by id, as they register at once. */
  async users(count: number): Promise<TestUser[]> {
    const users = await Promise.all(Array.from({ length: count }, () => this.user()));
    return users.sort((one, other) => one.id - other.id);
  }

  async connect(token: string | undefined, transports?: string[]): Promise<Device> {
    const device = await Device.connect(this.url, token, transports);
    this.devices.push(device);
    return device;
  }

  async close(): Promise<void> {
    for (const device of this.devices) device.close();
    await this.nest.close();
    await this.dropDatabase();
  }
}

/** A user with a token, who sends REST requests and connects devices. */
export class TestUser {
  constructor(
    readonly app: TestApp,
    readonly id: number,
    readonly name: string,
    readonly email: string,
    readonly token: string,
    readonly refreshToken: string,
  ) {}

  /** The id of the session. */
  get sessionId(): string {
    return (JSON.parse(Buffer.from(this.token.split('.')[1]!, 'base64url').toString()) as { sid: string }).sid;
  }

  request<T = any>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>> {
    return this.app.request<T>(method, path, { token: this.token, body, headers });
  }

  get<T = any>(path: string): Promise<Answer<T>> {
    return this.request<T>('GET', path);
  }

  post<T = any>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>> {
    return this.request<T>('POST', path, body, headers);
  }

  put<T = any>(path: string, body?: unknown): Promise<Answer<T>> {
    return this.request<T>('PUT', path, body);
  }

  patch<T = any>(path: string, body?: unknown): Promise<Answer<T>> {
    return this.request<T>('PATCH', path, body);
  }

  delete<T = any>(path: string): Promise<Answer<T>> {
    return this.request<T>('DELETE', path);
  }

  /** Connects a device. */
  device(transports?: string[]): Promise<Device> {
    return this.app.connect(this.token, transports);
  }

  async privateChat(other: TestUser): Promise<Chat> {
    return (await this.post<Chat>('/chats', { type: 'private', user_id: other.id })).body;
  }

  async group(...others: TestUser[]): Promise<Chat> {
    const body = { name: `Group ${unique()}`, member_ids: others.map(({ id }) => id) };
    return (await this.post<Chat>('/groups', body)).body;
  }

  /** Sends a message over REST. */
  async say(chat: { id: number }, text = `text ${unique()}`): Promise<Message> {
    return (await this.post<Message>('/messages', { chat_id: chat.id, text })).body;
  }
}
