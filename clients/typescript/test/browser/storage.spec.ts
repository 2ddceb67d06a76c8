import { PASSWORD } from '../../../../test/support/test-app.js';
import { describeWithChromium } from './chromium.js';
import { World } from './world.js';

/** More than fits into the space that a full disk leaves. */
const LONG_TEXT = 'x'.repeat(4_000);

describeWithChromium('what a tab of Chromium stores', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  it('is in memory where there is no IndexedDB, and the status says so', async () => {
    const person = await world.person();
    const { user, chat } = person;
    const tab = await person.newTab('/denied');
    await person.openIn(tab, { session: undefined });
    await tab.do('login', user.email, PASSWORD);
    await tab.do('synced');
    expect(await tab.do('status')).toMatchObject({ storage: 'memory' });
    const key = await tab.do('send', chat.id, 'from memory');
    await tab.do('untilMessage', chat.id, key, 'read');
    await user.say(chat, 'an answer');
    await tab.do('untilLast', chat.id, 'an answer');
    expect((await person.history()).map(({ text }) => text)).toEqual(['from memory', 'an answer']);
  });

  it('is in memory, each tab alone, where IndexedDB is denied', async () => {
    const person = await world.person();
    const { user, chat, context } = person;
    await context.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('denied', 'SecurityError');
      };
    });
    for (const text of ['from the first', 'from the second']) {
      const tab = await person.open({ session: undefined });
      await tab.do('login', user.email, PASSWORD);
      await tab.do('synced');
      expect(await tab.do('status')).toMatchObject({ storage: 'memory' });
      const key = await tab.do('send', chat.id, text);
      await tab.do('untilMessage', chat.id, key, 'read');
    }
    expect((await person.history()).map(({ text }) => text)).toEqual(['from the first', 'from the second']);
  });

  it('loses nothing that was accepted when the disk is full', async () => {
    const person = await world.person();
    const { user, chat, proxy } = person;
    const [tab, other] = [await person.newTab(), await person.newTab()];
    const quota = (quotaSize?: number) =>
      tab.cdp.send('Storage.overrideQuotaForOrigin', { origin: new URL(tab.page.url()).origin, quotaSize });
    await quota(100_000);
    for (const one of [tab, other]) {
      await person.openIn(one);
      await one.do('synced');
    }
    proxy.block();
    const accepted: string[] = [];
    let refusal: Error | undefined;
    for (let number = 0; !refusal && number < 90; number += 1) {
      await tab.do('send', chat.id, `${number} ${LONG_TEXT}`).then(
        (key) => accepted.push(key),
        (error: unknown) => (refusal = error as Error),
      );
    }
    expect(refusal?.message).toContain('There is no space');
    await tab.do('untilStorage', 'full');
    proxy.unblock();
    for (const key of accepted) await tab.do('untilMessage', chat.id, key, 'read');
    await user.say(chat, 'an answer');
    await tab.do('untilLast', chat.id, 'an answer');
    await quota();
    const keys = (await person.history()).map(({ client_message_id }) => client_message_id);
    expect(keys.slice(0, -1)).toEqual(accepted);
    await person.converged(tab, other);
  });
});
