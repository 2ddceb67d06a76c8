import { randomUUID } from 'node:crypto';
import { expectProblem } from './support/expect-problem.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('users', () => {
  let app: TestApp;
  let seeker: TestUser;
  beforeAll(async () => {
    app = await TestApp.start();
    seeker = await app.user('Seeker');
  });
  afterAll(() => app.close());

  const search = (query: string, rest = '') => seeker.get(`/users?query=${encodeURIComponent(query)}${rest}`);
  const found = async (query: string): Promise<number[]> => {
    const { status, body } = await search(query);
    expect(status).toBe(200);
    return body.map(({ id }: { id: number }) => id).sort();
  };

  describe('user search', () => {
    it('matches the beginnings of the words of names', async () => {
      const [ada, adam] = await Promise.all([app.user('Ada Byron-Lovelace'), app.user("Adam O'Neill")]);
      const both = [ada.id, adam.id].sort();
      expect(await found('ada')).toEqual(both);
      expect(await found('ADA')).toEqual(both);
      for (const query of ['adam', 'Neill', "o'neill", 'neill adam']) expect(await found(query)).toEqual([adam.id]);
      for (const query of ['lovelace', 'byron', 'byr', 'love ada', ' ada  lov ', 'byron-love', 'Ada Byron-Lovelace']) {
        expect(await found(query)).toEqual([ada.id]);
      }
      for (const query of ['velace', 'adamant', 'ada neillson', 'lovelace adam'])
        expect(await found(query)).toEqual([]);
    });

    it.each([
      ['Лада Ландау', 'ланд', 'адау'],
      ['Jürgen Ñandú', 'ñan', 'ndu'],
      ['अनिल शर्मा', 'अनि', 'निल'],
      ['محمد الفارسي', 'الفار', 'فارسي'],
      ['Zo\u00e9 \u0179', 'zoe\u0301', 'oe\u0301'],
      ['agent007 3com', '3c', '07'],
    ])('finds the name %s in its own script', async (name, start, middle) => {
      const { id } = await app.user(name);
      expect(await found(start)).toEqual([id]);
      expect(await found(start.toUpperCase())).toEqual([id]);
      expect(await found(name)).toEqual([id]);
      expect(await found(middle)).toEqual([]);
    });

    it.each([
      ['case', 'Grace HOPPER', 'hopper'],
      ['accents', 'Ángström Ñúñez', 'angstrom nunez'],
      ['accents that the query has', 'Angstrom', 'ÅNGSTRÖM'],
      ['accents written as letters of their own', 'Zoe\u0308', 'zo\u00eb'],
      ['ё and е', 'Пётр Королёв', 'петр КОРОЛЕВ'],
      ['ё in the query', 'Семенов', 'семёнов'],
      ['a final sigma', 'Οδυσσέας', 'ΟΔΥΣΣΕΑΣ'],
      ['a sigma that is final in the query alone', 'Οδυσσέας', 'οδυσς'],
      ['a dotless i', 'Işıl Yıldız', 'isil yildiz'],
      ['a dotted capital i', 'İpek', 'ipek'],
      ['capitals of a dotless i', 'Yıldız', 'YILDIZ'],
      ['ß', 'Weißmüller', 'weissmuller'],
      ['letters with a stroke', 'Łukasz Sørensen', 'lukasz sorensen'],
      ['ligatures', 'Ægir', 'aegir'],
      ['width', 'Ｗｉｄｅ', 'wide'],
      ['Arabic vowels', 'مُحَمَّد', 'محمد'],
    ])('ignores %s: %s is found by %s', async (_, name, query) => {
      const { id } = await app.user(name);
      expect(await found(query)).toContain(id);
    });

    it.each([
      ['山田太郎', ['山田', '太郎', '田太', '郎'], ['田山', '太田']],
      ['김민수', ['김', '민수', '수'], ['수민', '박민수']],
      ['さくらガール', ['くら', 'ガール', 'カ\u3099ール'], ['かール', 'カール']],
      ['สมชาย', ['ชาย'], ['ชายสม']],
    ])('finds the name %s by any part', async (name, parts, others) => {
      const { id } = await app.user(name);
      for (const part of parts) expect([part, await found(part)]).toEqual([part, [id]]);
      for (const other of others) expect([other, await found(other)]).toEqual([other, []]);
    });

    it('lists first whose whole name it is, then who has the words, then who has words that begin so', async () => {
      const names = ['Mirabelle Kay', 'Kay Mira', 'Mirabelle', 'Mira', 'MÍRA', 'Mira Kay'];
      const people: TestUser[] = [];
      for (const name of names) people.push(await app.user(name));
      const order = async (query: string): Promise<string[]> =>
        (await search(query)).body.map(({ name }: { name: string }) => name);
      expect(await order('mira')).toEqual(['Mira', 'MÍRA', 'Kay Mira', 'Mira Kay', 'Mirabelle Kay', 'Mirabelle']);
      expect(await order('mira kay')).toEqual(['Mira Kay', 'Kay Mira', 'Mirabelle Kay']);
      await people[0]!.patch('/users/me', { name: 'Mira' });
      expect((await order('mira')).slice(0, 3)).toEqual(['Mira', 'Mira', 'MÍRA']);
    });

    it('finds the user with exactly this email, in any case, and shows no email', async () => {
      const ada = await app.user('Ada');
      for (const query of [ada.email, ada.email.toUpperCase()]) {
        const { status, body } = await search(query);
        expect({ status, body }).toEqual({
          status: 200,
          body: [{ id: ada.id, name: 'Ada', created_at: expect.stringMatching(TIME) }],
        });
      }
      for (const query of [ada.email.slice(0, -1), ada.email.split('@')[0]!, '@example.com', '%@example.com']) {
        expect(await found(query)).not.toContain(ada.id);
      }
    });

    it('returns 20 users by default, or up to the given limit', async () => {
      await app.sql(`INSERT INTO users (name, search_terms, email, password_hash)
        SELECT 'Clone ' || n, 'clone ' || n, 'clone' || n || '@example.com', '' FROM generate_series(1, 120) n`);
      expect((await search('clone')).body).toHaveLength(20);
      for (const limit of [1, 7, 100]) expect((await search('clone', `&limit=${limit}`)).body).toHaveLength(limit);
      const pages = await Promise.all([0, 50, 100, 150].map((offset) => search('clone', `&limit=50&offset=${offset}`)));
      expect(pages.map(({ body }) => body.length)).toEqual([50, 50, 20, 0]);
      const ids = pages.flatMap(({ body }) => body.map(({ id }: { id: number }) => id));
      expect(ids).toEqual([...new Set(ids)].sort((one, other) => one - other));
    });

    it.each(['0', '101', '-1', '1.5', '1e1', '0x10', '', ' 5', '07', 'ten', '5&limit=5'])(
      'refuses the limit %j',
      async (limit) => expectProblem(await search('ada', `&limit=${limit}`), 400, 'validation_failed', ['limit']),
    );

    it.each<[string, string]>([
      ['no query', '?limit=5'],
      ['an empty query', '?query='],
      ['a blank query', '?query=%20%09'],
      ['two queries', '?query=a&query=b'],
      ['U+0000', '?query=a%00b'],
      ['255 characters', `?query=${'x'.repeat(255)}`],
    ])('refuses %s', async (_, query) => {
      expectProblem(await seeker.get(`/users${query}`), 400, 'validation_failed', ['query']);
    });

    it('refuses an unknown parameter', async () => {
      expectProblem(await search('ada', '&page=5'), 400, 'validation_failed', ['page']);
      expectProblem(await search('ada', '&offset=-5'), 400, 'validation_failed', ['offset']);
    });

    it('finds nobody by punctuation and emoji', async () => {
      const signs = [
        ...`'"\\%_:*&|!()<>-;$?@#~^[]{}/.,+=\``,
        "''",
        "\\'",
        ':*',
        '& | !',
        '!(',
        '<->',
        '/*',
        '$$',
        '||',
      ];
      for (const query of [...signs, '🧮', '👩‍👩‍👧', '\u202e', '\u200d'])
        expect([query, await found(query)]).toEqual([query, []]);
    });

    it('takes query operators as plain text', async () => {
      const nemo = await app.user('Nemo');
      const ofNemo = [
        "nemo' & ",
        "nemo\\'",
        'nemo:*',
        '(nemo',
        'nemo <-> !',
        '%nemo%',
        'nemo🧮',
        '\ufeffnemo',
        ':* & nemo',
      ];
      for (const query of ofNemo) expect([query, await found(query)]).toEqual([query, [nemo.id]]);
      const ofNobody = [
        "nemo' | 'b",
        "' OR 1=1 --",
        "nemo'); DROP TABLE users; --",
        'nemo:b',
        'nemo not or',
        'nemo $1',
      ];
      for (const query of [...ofNobody, 'nemo :query', `nemo${' x'.repeat(120)}`]) {
        expect([query, await found(query)]).toEqual([query, []]);
      }
    });

    it.each(['%', '%zz', '%E0%A4', '%ED%A0%80', '%FF', 'a%2', '[]=1', '__proto__=1'])(
      'survives the malformed query string %s',
      async (tail) => expect((await seeker.get(`/users?query=${tail}`)).status).toBeLessThan(500),
    );
  });

  describe('user profile', () => {
    it('is visible to everybody, without the email', async () => {
      const ada = await app.user('Ada');
      const shown = { id: ada.id, name: 'Ada', created_at: expect.stringMatching(TIME) };
      for (const viewer of [seeker, ada]) {
        const { status, body } = await viewer.get(`/users/${ada.id}`);
        expect({ status, body }).toEqual({ status: 200, body: shown });
      }
    });

    it.each([987654321, Number.MAX_SAFE_INTEGER])('answers 404 for the unknown id %s', async (id) => {
      expectProblem(await seeker.get(`/users/${id}`), 404, 'user_not_found');
    });

    it.each(['0', '-1', '1.0', '1e3', 'abc', '9007199254740992', '99999999999999999999', "1'", '%00', '01'])(
      'refuses the invalid id %s',
      async (id) => expectProblem(await seeker.get(`/users/${id}`), 400, 'validation_failed', ['id']),
    );

    it('shows a changed name to everybody', async () => {
      const ada = await app.user('Ada Byron');
      const renamed = await ada.patch('/users/me', { name: 'Countess 🧮 Lovelace' });
      expect({ status: renamed.status, body: renamed.body }).toEqual({
        status: 200,
        body: { ...(await ada.get('/auth/me')).body, id: ada.id, name: 'Countess 🧮 Lovelace' },
      });
      expect((await seeker.get(`/users/${ada.id}`)).body.name).toBe('Countess 🧮 Lovelace');
      expect(await found('countess')).toEqual([ada.id]);
      expect(await found('byron')).not.toContain(ada.id);
    });

    it.each<[string, unknown, string[]]>([
      ['no name', {}, ['name']],
      ['a blank name', { name: '\t ' }, ['name']],
      ['a name of 101 characters', { name: 'x'.repeat(101) }, ['name']],
      ['null', { name: null }, ['name']],
      ['another email', { name: 'Ada', email: `${randomUUID()}@example.com` }, ['email']],
      ['another id', { name: 'Ada', id: 1 }, ['id']],
    ])('is not changed by %s', async (_, body, fields) => {
      const before = (await seeker.get('/auth/me')).body;
      expectProblem(await seeker.patch('/users/me', body), 400, 'validation_failed', fields);
      expect((await seeker.get('/auth/me')).body).toEqual(before);
    });

    it.each([
      ['of a zero-width space', '\u200b'],
      ['of a filler of Hangul', '\u3164'],
      ['of a blank of Braille', '\u2800\u2800'],
      ['of joiners and spaces', ' \u200d\u2060 '],
      ['with a line break', 'Ada\r\nLovelace'],
      ['with a break between lines', 'Ada\u2028Lovelace'],
      ['with an escape', 'Ada\u001b[31m'],
      ['with a control character above ASCII', 'Ada\u0085'],
      ['with a turn to the left', '\u202egnp.ecalevoL'],
      ['with an isolate', '\u2067Ada\u2069'],
      ['with a mark of direction', 'Ada\u200f'],
    ])('must not be misleading, for people and groups: a name %s', async (_, name) => {
      const owner = await app.user();
      const group = await owner.group();
      const account = { name, email: `${randomUUID()}@example.com`, password: PASSWORD };
      for (const answer of [
        await app.request('POST', '/auth/register', { body: account }),
        await owner.patch('/users/me', { name }),
        await owner.post('/groups', { name }),
        await owner.post('/chats', { type: 'group', name }),
        await owner.patch(`/groups/${group.id}`, { name }),
      ]) {
        expectProblem(answer, 400, 'validation_failed', ['name']);
      }
    });

    it.each(['Ада 🧮', '👩‍👩‍👧', '❤️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿 x', 'می‌خواهم', 'क्‍ष', "O'Neill-Ñandú, Jr.", '山田\u3000太郎'])(
      'may be of any script: %s',
      async (name) => {
        expect((await seeker.patch('/users/me', { name })).body.name).toBe(name);
        expect((await seeker.post('/groups', { name })).body.name).toBe(name);
      },
    );

    it('has one form, however its accents were typed', async () => {
      const typed = `Zoe\u0308 ${'e\u0301'.repeat(90)}`;
      const name = typed.normalize('NFC');
      expect((await seeker.patch('/users/me', { name: typed })).body.name).toBe(name);
      const { body: group } = await seeker.post('/groups', { name: typed });
      expect(group.name).toBe(name);
      expect((await seeker.patch(`/groups/${group.id}`, { name: typed })).body.name).toBe(name);
    });
  });
});
