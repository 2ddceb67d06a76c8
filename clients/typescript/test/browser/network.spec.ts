import { inTemporaryFolder } from '../../../../test/support/server-process.js';
import { describeWithChromium, OwnChromium } from './chromium.js';
import { World } from './world.js';

describeWithChromium('a tab of Chromium on a bad network', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  it('keeps what waits through a reload', async () => {
    const person = await world.person();
    const { chat, proxy } = person;
    const tab = await person.synced();
    proxy.block();
    const key = await tab.do('send', chat.id, 'text');
    await tab.page.reload();
    await person.openIn(tab);
    expect(await tab.do('shown', chat.id)).toEqual([{ key, seq: null, text: 'text', status: 'sending' }]);
    proxy.unblock();
    await tab.do('untilMessage', chat.id, key, 'read');
    expect(await person.converged(tab)).toEqual(['text']);
  });

  it('connects and syncs as soon as the network is back', async () => {
    const person = await world.person();
    const { user, chat, context, proxy } = person;
    const tab = await person.synced({ isTimeless: true });
    await context.setOffline(true);
    proxy.dropConnections();
    await tab.do('untilConnection', 'waiting');
    const key = await tab.do('send', chat.id, 'written offline');
    await user.say(chat, 'said meanwhile');
    await context.setOffline(false);
    await tab.do('untilMessage', chat.id, key, 'read');
    expect(await person.converged(tab)).toEqual(['said meanwhile', 'written offline']);
  });

  it('syncs when it has slept and is shown again', async () => {
    await inTemporaryFolder(async (folder) => {
      const browser = await OwnChromium.start(folder);
      try {
        const person = await world.person(browser.context);
        const { user, chat, proxy } = person;
        const tab = await person.synced({ isTimeless: true });
        await (await person.newTab()).page.bringToFront();
        await tab.cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
        proxy.dropConnections();
        await user.say(chat, 'said meanwhile');
        await tab.cdp.send('Page.setWebLifecycleState', { state: 'active' });
        await tab.do('untilConnection', 'waiting');
        await tab.page.bringToFront();
        await tab.do('untilLast', chat.id, 'said meanwhile');
        expect(await person.converged(tab)).toEqual(['said meanwhile']);
      } finally {
        await browser.kill();
      }
    });
  });
});
