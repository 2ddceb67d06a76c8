import type { CommandError } from '../../../src/contract/errors.js';
import type { Message } from '../../../src/contract/messages.js';
import type { ChatNews, News } from '../../../src/contract/sync.js';
import { Client } from '../src/client.js';
import { memoryStorage } from '../src/storage/memory.js';
import { eventually, HandClock, scopeOf } from './clients.js';
import type { EventName, State } from './connection-table.js';
import { ScriptedServer } from './scripted-server.js';

const USER = 1;
const LATER: CommandError = { code: 'rate_limited', message: '', retryable: true, retry_after_ms: 3_000 };
const refusal = (code: CommandError['code']): CommandError => ({ code, message: '', retryable: false });

const message = (chat_id: number, seq: number): Message => ({
  id: 10 * chat_id + seq,
  chat_id,
  seq,
  sender_id: 2,
  text: `text ${seq}`,
  timestamp: '2026-01-01T00:00:00.000Z',
  is_read: false,
  client_message_id: `key ${seq}`,
  change_seq: null,
  reply_to_id: null,
  edited_at: null,
  deleted_at: null,
});

const chat = (id: number, reset = false): ChatNews => ({
  id,
  type: 'group',
  name: `chat ${id}`,
  peer: null,
  creator_id: 2,
  created_at: '2026-01-01T00:00:00.000Z',
  member_count: 2,
  my_role: 'member',
  last_seq: 1,
  last_change_seq: 0,
  last_read_seq: 0,
  read_by_all_seq: 0,
  unread_count: 1,
  last_message: null,
  activity_cursor: '',
  messages: reset ? [] : [message(id, 1)],
  members: null,
  left_user_ids: [],
  has_more: false,
  reset,
});
const newsOf = (chats: ChatNews[], next_chat_id: number | null = null): News => ({
  chats,
  removed_chat_ids: [],
  next_chat_id,
});
const NEWS = newsOf([chat(1), chat(2)]);

/** What the page of a browser tells. */
export const page = new EventTarget();
export const shown = Object.assign(new EventTarget(), { visibilityState: 'visible' });

/** A client, and a server that does what the test says. */
export class Bench {
  private readonly clock = new HandClock();
  private readonly client: Client;
  private isSessionOver = false;

  private constructor(private readonly server: ScriptedServer) {
    const storage = memoryStorage();
    this.client = new Client({
      url: server.url,
      storage,
      clock: this.clock,
      fetch: (url) => this.fetch(url as string),
    });
  }

  static async open(): Promise<Bench> {
    const bench = new Bench(await ScriptedServer.start());
    await bench.client.session.login('ada@example.org', 'a password');
    await bench.client.open();
    return bench;
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.server.close();
  }

  get state(): State {
    const { connection, sync } = this.client.status.get();
    const pauses = this.clock.pauses();
    if (connection === 'offline') return 'closed';
    if (connection === 'connecting') return 'connecting';
    if (connection === 'waiting') return pauses.some((ms) => ms > 1_000) ? 'held off' : 'waiting';
    if (sync === 'syncing') return 'syncing';
    if (sync === 'behind') return 'retrying';
    return pauses.length > 0 ? 'missing' : 'synced';
  }

  async bring(state: State): Promise<void> {
    const ways: Record<State, EventName[]> = {
      closed: ['logout'],
      connecting: [],
      waiting: ['not let in'],
      'held off': ['rate limited'],
      // Once more: something is held.
      syncing: ['accepted', 'answered', 'online'],
      synced: ['accepted', 'answered'],
      missing: ['accepted', 'answered', 'gap'],
      retrying: ['accepted', 'sync refused'],
    };
    await eventually(() => this.server.isAsked, 'the first connection');
    for (const event of ways[state]) await this.meet(event);
    await this.settle(state);
    if (state === 'syncing') await eventually(() => this.server.syncsWaiting > 0, 'a sync');
    this.server.hold();
  }

  /** False when the event can't happen. */
  async meet(event: EventName): Promise<boolean> {
    const isPossible = await this.happen(event);
    const isCall = event === 'accepted' || event === 'answered in part';
    if (isPossible && isCall) await eventually(() => this.server.syncsWaiting > 0, 'a sync');
    return isPossible;
  }

  /** Waits for the state, and checks that it stays. */
  async settle(next: State): Promise<void> {
    await eventually(() => this.state === next, `${next}, but ${this.state}`);
    const isConnected = this.client.status.get().connection === 'connected';
    if (isConnected) await scopeOf(this.client).connection.request('typing', { chat_id: 1, is_typing: false });
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    expect(this.state).toBe(next);
  }

  /** What else the event has done, in the state that it has led to. */
  async expectEffect(event: EventName, state: State): Promise<void> {
    if (event === 'server:draining') {
      await this.meet('cut by the server');
      await this.settle('held off');
    }
    if (event === 'token refused') {
      this.server.hold();
      await this.meet('pause over');
      await eventually(() => this.server.isAsked, 'the next try');
      await this.meet('accepted');
    }
    if (event === 'auth:expired' || event === 'token refused')
      await eventually(() => this.server.tokens.at(-1) === 'token 1', 'the new token');
    if (event === 'late event' && state === 'missing') {
      await this.meet('pause over');
      await this.settle('synced');
    }
    if (event === 'gap' && state === 'syncing') {
      await this.meet('answered');
      await this.settle('missing');
    }
    if (event === 'chat removed') {
      if (state === 'syncing') await this.meet('answered');
      await eventually(() => this.client.chat(2).state.get() === undefined, 'the removal');
    }
    if (event === 'answered with a reset') expect(this.client.chat(1).message('key 1').get()).toBeUndefined();
  }

  private async happen(event: EventName): Promise<boolean> {
    const { server, client } = this;
    switch (event) {
      case 'accepted':
        return this.reply('accept');
      case 'not let in':
        return this.reply('shut');
      case 'rate limited':
        return this.reply(LATER);
      case 'token refused':
        return this.reply(refusal('token_expired'));
      case 'session over':
        this.isSessionOver = true;
        if (!this.reply(refusal('unauthorized')) && !server.socket?.emit('session:revoked', {}))
          await client.session.list().catch(() => undefined);
        return true;
      case 'cut by the server':
        return server.socket !== undefined && (server.socket.disconnect(true), true);
      case 'lost': {
        const isPossible = server.socket !== undefined;
        server.socket?.conn.close();
        return this.reply('shut') || isPossible;
      }
      case 'no answer':
        return this.clock.pass((ms) => ms === 10_000);
      case 'server:draining':
        return this.tell('server:draining', { reconnect_in_ms: 3_000 });
      case 'auth:expired':
        return this.tell('auth:expired', {});
      case 'gap':
        return this.tell('message:created', message(1, 3));
      case 'late event':
        return this.tell('message:created', message(1, 2));
      case 'chat removed':
        return this.tell('chat:removed', { chat_id: 2 });
      case 'online':
        return page.dispatchEvent(new Event('online'));
      case 'page shown':
        return shown.dispatchEvent(new Event('visibilitychange'));
      case 'clock jump':
        this.clock.ahead += 60_000;
        await client
          .chat(1)
          .send('noticed')
          .catch(() => undefined);
        return true;
      case 'answered':
        return server.answerSync(NEWS);
      case 'answered in part':
        return server.answerSync(newsOf([chat(1)], 1));
      case 'answered with a reset':
        return server.answerSync(newsOf([chat(1, true)]));
      case 'sync refused':
        return server.answerSync(LATER);
      case 'pause over':
        return this.clock.pass((ms) => ms < 10_000);
      case 'logout':
        await client.session.logout();
        return true;
      case 'close':
        await client.close();
        return true;
    }
  }

  private reply(reply: Parameters<ScriptedServer['answer']>[0]): boolean {
    const isTrying = this.state === 'connecting' && this.server.isAsked;
    if (isTrying) this.server.answer(reply);
    return isTrying;
  }

  private tell(event: string, payload: object): boolean {
    return this.server.socket?.emit(event, payload) ?? false;
  }

  /** The REST API. */
  private fetch(url: string): Promise<Response> {
    const { pathname } = new URL(url);
    const status = this.isSessionOver ? 401 : 200;
    const problem = { code: 'unauthorized', detail: '', status };
    const account = { id: USER, name: 'Ada', email: 'ada@example.org' };
    const number = pathname === '/auth/login' ? 0 : 1;
    const pair = { access_token: `token ${number}`, refresh_token: `refresh ${number}`, expires_in: 900 };
    const answer = pathname === '/auth/me' ? account : pathname === '/auth/sessions' ? [] : pair;
    return Promise.resolve(Response.json(this.isSessionOver ? problem : answer, { status }));
  }
}
