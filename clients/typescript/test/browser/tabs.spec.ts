import { describeWithChromium } from './chromium.js';
import { World } from './world.js';

describeWithChromium('the tabs of Chromium', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  it('show the same, and one of them sends for all', async () => {
    const person = await world.person();
    const { chat, context } = person;
    const sends: string[] = [];
    context.on('page', (page) =>
      page.on('websocket', (socket) =>
        socket.on('framesent', ({ payload }) => String(payload).includes('message:send') && sends.push(page.url())),
      ),
    );
    const [first, second] = [await person.synced(), await person.synced()];
    expect(await first.do('leaders')).toEqual({ held: 1, waiting: 1 });
    const keys = [await second.do('send', chat.id, 'one'), await first.do('send', chat.id, 'two')];
    for (const tab of [first, second]) for (const key of keys) await tab.do('untilMessage', chat.id, key, 'read');
    expect(await person.converged(first, second)).toEqual(['one', 'two']);
    await second.do('edit', chat.id, keys[1]!, 'two, edited');
    for (const tab of [first, second]) await tab.do('untilLast', chat.id, 'two, edited');
    expect(await person.converged(first, second)).toEqual(['one', 'two, edited']);
    expect(sends).toHaveLength(2);
  });

  it('refresh once for all of them', async () => {
    const person = await world.person();
    const answers: number[] = [];
    person.context.on('response', (response) => {
      if (response.url().endsWith('/auth/refresh') && response.request().method() === 'POST')
        answers.push(response.status());
    });
    const session = await person.session(0);
    const tabs = await Promise.all([1, 2, 3].map(() => person.newTab()));
    await tabs[0]!.do('open', { url: person.proxy.origin, session });
    await Promise.all(tabs.slice(1).map((tab) => person.openIn(tab, { session })));
    for (const tab of tabs) await tab.do('synced');
    expect(answers).toEqual([200]);
    expect((await world.app.sql('SELECT 1 FROM sessions WHERE user_id = $1', [person.user.id])).length).toBe(1);
  });

  it('begin one after the other: who comes later shows what is stored without the network', async () => {
    const person = await world.person();
    const { chat, proxy } = person;
    const first = await person.synced();
    await first.do('send', chat.id, 'stored');
    await person.converged(first);
    await first.page.close();
    proxy.block();
    const second = await person.open();
    expect(await second.do('status')).toMatchObject({ sync: 'behind', storage: 'persistent' });
    expect(await second.do('shown', chat.id)).toMatchObject([{ text: 'stored', seq: 1 }]);
  });

  it('sign out together, and leave no database of the person', async () => {
    const person = await world.person();
    const [first, second] = [await person.synced(), await person.synced()];
    await second.do('send', person.chat.id, 'text');
    await person.converged(first, second);
    const names = await first.do('databases');
    expect(names).toContain(`windi-chat:${person.user.id}`);
    await first.do('logout');
    await second.do('untilSignedOut');
    await expect(second.do('send', person.chat.id, 'text')).rejects.toThrow('Nobody is signed in');
    expect(await first.do('databases')).not.toContain(`windi-chat:${person.user.id}`);
    await first.page.reload();
    await person.openIn(first, { session: undefined });
    expect(await first.do('account')).toBeUndefined();
  });
});
