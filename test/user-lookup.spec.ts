import type { User } from '../src/contract/users.js';
import { expectProblem } from './support/expect-problem.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

const NOBODY = 987_654_321;

describe('the look-up of people', () => {
  let app: TestApp;
  let ada: TestUser;
  let others: TestUser[];
  beforeAll(async () => {
    app = await TestApp.start();
    ada = await app.user();
    others = await app.users(4);
  });
  afterAll(() => app.close());

  const queryOf = (ids: readonly unknown[]): string => ids.map((id) => `ids=${String(id)}`).join('&');
  const lookUp = (query: string) => ada.get<User[]>(`/users/lookup?${query}`);
  const person = async (id: number): Promise<User> => (await ada.get<User>(`/users/${id}`)).body;

  it('answers in the order of the ids, as the profile of each', async () => {
    const ids = [others[2]!.id, ada.id, others[0]!.id, others[3]!.id];
    const { status, body } = await lookUp(queryOf(ids));
    expect([status, body]).toEqual([200, await Promise.all(ids.map(person))]);
    expect((await lookUp(queryOf([ada.id]))).body).toEqual([await person(ada.id)]);
  });

  it('leaves out ids that nobody has', async () => {
    const ids = [NOBODY, others[1]!.id, Number.MAX_SAFE_INTEGER, others[0]!.id];
    expect((await lookUp(queryOf(ids))).body.map(({ id }) => id)).toEqual([others[1]!.id, others[0]!.id]);
    expect((await lookUp(queryOf([NOBODY]))).body).toEqual([]);
  });

  it('shows those whose account is closed, and those who block the caller, as their profile does', async () => {
    const [closed, blocker] = (await app.users(2)) as [TestUser, TestUser];
    await closed.request('DELETE', '/users/me', { password: PASSWORD });
    await blocker.put(`/users/${ada.id}/block`);
    const { body } = await lookUp(queryOf([closed.id, blocker.id]));
    expect(body).toEqual([await person(closed.id), await person(blocker.id)]);
    expect(body[0]!.name).toBe('Deleted account');
  });

  it('takes up to 100 ids', async () => {
    const ids = Array.from({ length: 99 }, (_, at) => NOBODY + at);
    expect((await lookUp(queryOf([...ids, ada.id]))).body).toEqual([await person(ada.id)]);
    const more = await lookUp(queryOf([...ids, ada.id, others[0]!.id]));
    expectProblem(more, 400, 'validation_failed', ['ids']);
  });

  it.each(['', 'ids=', 'ids=0', 'ids=1&ids=1', 'ids=1,2', 'ids=1&ids=', 'ids=1&ids=x', 'ids=9007199254740992'])(
    'refuses the query %j and names the field',
    async (query) => expectProblem(await lookUp(query), 400, 'validation_failed', ['ids']),
  );

  it('refuses another name of the field', async () => {
    expectProblem(await lookUp('ids=1&ids[]=2'), 400, 'validation_failed', ['ids[]']);
  });

  it('is an array in OpenAPI, one parameter for each id', async () => {
    const { body } = await app.request('GET', '/openapi.json');
    expect(body.paths['/users/lookup'].get.parameters).toMatchObject([
      {
        name: 'ids',
        in: 'query',
        required: true,
        style: 'form',
        explode: true,
        schema: {
          type: 'array',
          items: { type: 'integer', format: 'int64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
          minItems: 1,
          maxItems: 100,
          uniqueItems: true,
        },
      },
    ]);
  });
});
