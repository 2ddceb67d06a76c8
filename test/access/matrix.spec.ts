import { createSecretKey } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import type { ErrorCode } from '../../src/contract/errors.js';
import type { Device } from '../support/device.js';
import { expectSameAnswer, expectProblem, comparableText } from '../support/expect-problem.js';
import type { Answer } from '../support/http.js';
import { PlainClient } from '../support/plain-client.js';
import { eventsOf, routesOf } from '../support/routes.js';
import { CHEAP_HASHES, TestApp, type TestUser } from '../support/test-app.js';
import { Fixtures } from './fixtures.js';
import { RELATIONS, type Row, rowsOf, TOKENS } from './tables.js';

const PUBLIC = rowsOf('Public routes');
const ROUTES = rowsOf('Routes');
const EVENTS = rowsOf('Events');
const PLAIN = rowsOf('Plain WebSockets');

/** `{name}` in a path, `$name` in a body. */
const NAMES = /\{(\w+)\}|\$(\w+)/g;

/** The rows with a test title each: the name, what is sent and what the parameters stand for. */
const titled = (rows: readonly Row[]): [title: string, row: Row][] =>
  rows.map((row) => {
    const about = Object.entries(row.about).map(([name, things]) => `${name} = ${things.join(' / ')}`);
    return [[row.name, row.sent, ...about].join(' '), row];
  });

/** All combinations of the values that the row allows for its parameters. */
function casesOf({ about }: Row): Record<string, string>[] {
  return Object.entries(about).reduce<Record<string, string>[]>(
    (cases, [name, things]) => cases.flatMap((one) => things.map((thing) => ({ ...one, [name]: thing }))),
    [{}],
  );
}

/** The names of the parameters of a row. */
const parametersOf = ({ name, sent }: Row): string[] =>
  [...`${name} ${sent}`.matchAll(NAMES)].map(([, inPath, inBody]) => (inPath ?? inBody)!);

/** Whether an answer lists an item with this id: chats (also those of a sync) or sessions. */
function lists(body: any, id: unknown): boolean {
  const items = (Array.isArray(body) ? body : body.chats) as { id: unknown }[];
  return items.some((item) => item.id === id);
}

/** The values of the parameters of a row. */
type Values = Readonly<Record<string, number | string>>;

/** Sends what a row says, for one caller and one case. `outcome` is in the words of the matrix. */
type SendCase = (
  caller: TestUser,
  values: Values,
  one: Record<string, string>,
) => Promise<{ outcome: string; body: unknown; face: string }>;

describe('the access matrix', () => {
  let app: TestApp;
  let fixtures: Fixtures;
  let foreign: unknown;
  let tokens: Record<string, (user: TestUser) => Promise<string | undefined>>;
  const devices = new Map<TestUser, Device>();
  /** Every case of every route, with the values that it has for the member. */
  const cells: [row: Row, one: Record<string, string>, values: Values][] = [];

  beforeAll(async () => {
    app = await TestApp.start({}, {}, CHEAP_HASHES);
    fixtures = await Fixtures.create(app);
    foreign = await fixtures.foreignView();
    for (const place of RELATIONS) devices.set(fixtures.people[place], await fixtures.people[place].device());
    tokens = tokensOf(app);
    for (const row of ROUTES) {
      for (const one of casesOf(row)) cells.push([row, one, await valuesOf(one, fixtures.people.member)]);
    }
  });
  afterAll(() => app.close());

  /** Who sends the request: the caller, or a new session or account where the row ends one. */
  async function senderOf(thing: string | undefined, caller: TestUser): Promise<TestUser> {
    if (thing === 'new session') return app.login(caller);
    return thing === 'new account' ? app.user() : caller;
  }

  /** The values of the parameters of a case. */
  async function valuesOf(one: Record<string, string>, caller: TestUser): Promise<Values> {
    const found: Record<string, number | string> = {};
    for (const [name, thing] of Object.entries(one)) {
      if (name !== 'caller') found[name] = await fixtures.find(thing, caller);
    }
    return found;
  }

  /** A text in which `{name}` and `$name` are replaced by their values. */
  const filled = (text: string, values: Values): string =>
    text.replace(NAMES, (match, inPath?: string, inBody?: string) => String(values[(inPath ?? inBody)!] ?? match));

  function ask({ name, sent }: Row, values: Values, token: string | undefined) {
    const [method, path] = name.split(' ') as [string, string];
    const query = sent.startsWith('?') ? filled(sent, values) : '';
    const body = sent === '' || query ? undefined : filled(sent, values);
    const headers: Record<string, string> = body === undefined ? {} : { 'Content-Type': 'application/json' };
    return app.request(method, filled(path, values) + query, { token, body, headers });
  }

  it('has a row for every route and every event, and no other', () => {
    const names = (rows: readonly Row[]): string[] => [...new Set(rows.map(({ name }) => name))].sort();
    expect(names([...PUBLIC, ...ROUTES])).toEqual(routesOf(app).sort());
    expect(names(EVENTS)).toEqual(eventsOf(app).sort());
  });

  it('has a row with a foreign and with an absent id for every parameter', () => {
    const rows = [...ROUTES, ...EVENTS, ...PLAIN];
    for (const { name } of rows) {
      const own = rows.filter((row) => row.name === name);
      for (const parameter of new Set(own.flatMap(parametersOf))) {
        // Keys, texts and list positions have no owner. Users are visible to everybody, so no user is foreign.
        if (['key', 'text', 'before'].includes(parameter)) continue;
        const things = own.flatMap(({ about }) => about[parameter] ?? []);
        const wanted = things.includes('absent user') ? ['absent'] : ['foreign', 'absent'];
        const kinds = things.map((thing) => thing.split(' ')[0]);
        expect([name, parameter, kinds]).toEqual([name, parameter, expect.arrayContaining(wanted)]);
      }
    }
  });

  describe.each(TOKENS)('a token that is %s', (kind, code) => {
    it(`is refused with ${code} on every route, whatever the ids are`, async () => {
      const token = await tokens[kind]!(fixtures.people.member);
      for (const [row, one, values] of cells) {
        const answer = await ask(row, values, token);
        expect([row.name, one, answer.body.code]).toEqual([row.name, one, code]);
        expectProblem(answer, 401, code as ErrorCode);
      }
    });

    it('makes no difference on a public route', async () => {
      for (const row of PUBLIC) {
        for (const one of casesOf(row)) {
          const { member } = fixtures.people;
          const answer = await ask(row, await valuesOf(one, member), await tokens[kind]!(member));
          const { code: told } = answer.body as { code?: string };
          expect([row.name, one, [answer.status, told].join(' ').trim()]).toEqual([row.name, one, row.answers.answer]);
        }
      }
    });

    it('opens no socket', async () => {
      const { member } = fixtures.people;
      await expect(app.connect(await tokens[kind]!(member))).rejects.toMatchObject({ data: { code } });
    });

    it.each(titled(PLAIN))('opens no plain WebSocket at %s', async (_, row) => {
      const { member } = fixtures.people;
      for (const one of casesOf(row)) {
        const token = await tokens[kind]!(member);
        const path = filled(row.name, await valuesOf(one, member)) + (token === undefined ? '' : `?token=${token}`);
        expect(await (await PlainClient.open(app.url, path)).closed).toEqual([4401, code]);
      }
    });
  });

  it('ignores a valid token on a public route', async () => {
    for (const row of PUBLIC) {
      const { member } = fixtures.people;
      const answer = await ask(row, await valuesOf(casesOf(row)[0]!, member), member.token);
      expect([row.name, answer.status]).toEqual([row.name, Number(row.answers.answer!.split(' ')[0])]);
    }
  });

  /** The first 404 answer of each route and code. All others must equal it. */
  const hidden = new Map<string, Answer>();

  /** Checks every cell of a row. `changes`: the row writes; a refused write must change nothing. */
  async function checkRow(row: Row, changes: boolean, send: SendCase): Promise<void> {
    for (const place of RELATIONS) {
      const caller = fixtures.people[place];
      const { outcome, listed, isListed } = parseAnswer(row.answers[place]!);
      const refused = !/^(2|ok|open)/.test(outcome);
      const faces = new Set<string>();
      for (const one of casesOf(row)) {
        const values = await valuesOf(one, caller);
        const actualCode = await send(caller, values, one);
        expect([place, one, actualCode.outcome]).toEqual([place, one, outcome]);
        if (listed) expect([place, one, lists(actualCode.body, values[listed])]).toEqual([place, one, isListed]);
        if (changes && refused) await fixtures.expectUnchanged();
        else if (changes) fixtures.discardGroup();
        faces.add(actualCode.face.replaceAll(String(values.chat), 'id'));
      }
      expect([...faces]).toHaveLength(1);
    }
  }

  it.each(titled(ROUTES))('%s', async (_, row) => {
    const changes = !row.name.startsWith('GET ') && row.name !== 'POST /sync';
    await checkRow(row, changes, async (caller, values, one) => {
      const { token } = await senderOf(one.caller, caller);
      const answer = await ask(row, values, token);
      const { code } = (answer.body ?? {}) as { code?: ErrorCode };
      if (code) expectProblem(answer, answer.status, code);
      if (answer.status === 404) {
        const key = `${row.name} ${code}`;
        expectSameAnswer(answer, hidden.get(key) ?? answer);
        hidden.set(key, answer);
      }
      return { outcome: [answer.status, code].join(' ').trim(), body: answer.body, face: comparableText(answer) };
    });
  });

  it.each(titled(EVENTS))('%s', async (_, row) => {
    await checkRow(row, row.name !== 'sync', async (caller, values) => {
      const ack = await devices.get(caller)!.raw(row.name, JSON.parse(filled(row.sent, values)));
      const [outcome, body] = ack.ok ? ['ok', ack.data] : [ack.error.code, undefined];
      return { outcome, body, face: JSON.stringify(ack) };
    });
  });

  it.each(titled(PLAIN))('%s', async (_, row) => {
    await checkRow(row, false, async (caller, values) => {
      const client = await PlainClient.open(app.url, `${filled(row.name, values)}?token=${caller.token}`);
      client.send({ type: 'ping' });
      const opened = client.nextOf('pong').then(() => 'open');
      const outcome = await Promise.race([opened, client.closed.then((close) => close.join(' '))]);
      opened.catch(() => undefined); // A closed socket never answers the ping.
      client.socket.close();
      return { outcome, body: undefined, face: outcome };
    });
  });

  it('allows a socket with an expired token only auth:refresh', async () => {
    const { member } = fixtures.people;
    const short = app.nest
      .get(JwtService)
      .sign({ sid: member.sessionId }, { subject: String(member.id), expiresIn: 1 });
    const device = await app.connect(short);
    await device.next('auth:expired');
    for (const row of EVENTS.filter(({ name }) => name !== 'auth:refresh')) {
      for (const one of casesOf(row)) {
        const ack = await device.raw(row.name, JSON.parse(filled(row.sent, await valuesOf(one, member))));
        expect([row.name, one, ack]).toMatchObject([row.name, one, { ok: false, error: { code: 'token_expired' } }]);
      }
    }
    expect(await device.command('auth:refresh', { token: member.token })).toMatchObject({ ok: true });
  });

  it('leaves the chats of strangers unchanged', async () => {
    expect(await fixtures.foreignView()).toEqual(foreign);
  });
});

/** Splits `200 with chat` into the outcome, the parameter whose value is listed or not, and which of the two. */
function parseAnswer(answer: string): { outcome: string; listed: string | undefined; isListed: boolean } {
  const [, outcome, word, listed] = /^(.*?)(?: (with|without) (\w+))?$/.exec(answer)!;
  return { outcome: outcome!, listed, isListed: word === 'with' };
}

/** Makes an invalid token of each kind. */
function tokensOf(app: TestApp): Record<string, (user: TestUser) => Promise<string | undefined>> {
  const jwt = app.nest.get(JwtService);
  const sign = ({ id, sessionId }: TestUser, options: object): Promise<string> =>
    jwt.signAsync({ sid: sessionId }, { subject: String(id), ...options });
  const revoked = new Map<TestUser, Promise<string>>();
  const logOut = async (user: TestUser): Promise<string> => {
    const device = await app.login(user);
    await device.post('/auth/logout');
    return device.token;
  };
  return {
    none: () => Promise.resolve(undefined),
    malformed: () => Promise.resolve('a.b.c'),
    'of another key': (user) => sign(user, { secret: createSecretKey(Buffer.from('the secret of somebody else')) }),
    expired: (user) => sign(user, { expiresIn: -1 }),
    revoked: (user) => {
      if (!revoked.has(user)) revoked.set(user, logOut(user));
      return revoked.get(user)!;
    },
    'a refresh token': (user) => Promise.resolve(user.refreshToken),
  };
}
