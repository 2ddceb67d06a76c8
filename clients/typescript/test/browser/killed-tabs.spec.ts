import { inTemporaryFolder } from '../../../../test/support/server-process.js';
import { describeWithChromium, OwnChromium } from './chromium.js';
import type { MomentName } from './halts.js';
import { World } from './world.js';

/** When a tab is killed that sends a message, and how often the server has the message in the end. */
const SENDING: [MomentName, number][] = [
  ['before the message is stored', 0],
  ['while the message is stored', 0],
  ['when the message is stored', 1],
  ['before the message is sent', 1],
  ['when the message is sent', 1],
  ['before the ack is stored', 1],
  ['while the ack is stored', 1],
  ['when the ack is stored', 1],
];

/** When a tab is killed that edits a message, and what its text is in the end. */
const EDITING: [MomentName, string][] = [
  ['before the edit is stored', 'text'],
  ['when the edit is stored', 'edited'],
  ['when the edit is sent', 'edited'],
];

const SYNCING: MomentName[] = [
  'when the sync is asked for',
  'before what came is stored',
  'while what came is stored',
  'when what came is stored',
];

const REFRESHING: MomentName[] = [
  'before the id of the refresh is stored',
  'when the id of the refresh is stored',
  'when the refresh is asked for',
  'when the refresh is answered',
  'while the tokens are stored',
  'when the tokens are stored',
];

/** How often the tab that sends is killed at no particular moment. */
const KILLS = 4;

describeWithChromium('a tab of Chromium that is killed', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  it.each(SENDING)('%s loses and doubles nothing', async (moment, times) => {
    const person = await world.person();
    const leader = await person.synced({ moment });
    const other = await person.synced();
    const halted = world.pages.halted();
    leader.do('send', person.chat.id, 'text').catch(() => undefined);
    await halted;
    await leader.crash();
    const reopened = await person.synced();
    expect(await person.converged(other, reopened)).toEqual(Array.from({ length: times }, () => 'text'));
    await reopened.do('send', person.chat.id, 'later');
    expect((await person.converged(other, reopened)).at(-1)).toBe('later');
  });

  it.each(EDITING)('%s has its message edited once or not at all', async (moment, text) => {
    const person = await world.person();
    const { id } = person.chat;
    const leader = await person.synced({ moment });
    const other = await person.synced();
    const key = await leader.do('send', id, 'text');
    await leader.do('untilMessage', id, key, 'read');
    const halted = world.pages.halted();
    leader.do('edit', id, key, 'edited').catch(() => undefined);
    await halted;
    await leader.crash();
    const reopened = await person.synced();
    expect(await person.converged(other, reopened)).toEqual([text]);
    const [message] = await person.history();
    expect(message!.change_seq === null).toBe(text === 'text');
  });

  it.each(SYNCING)('%s has all that was missed when it is opened again', async (moment) => {
    const person = await world.person();
    const { user, chat } = person;
    const before = await person.synced();
    await user.say(chat, 'one');
    await before.do('untilLast', chat.id, 'one');
    await before.page.close();
    for (const text of ['two', 'three']) await user.say(chat, text);
    const halted = world.pages.halted();
    const leader = await person.newTab();
    person.openIn(leader, { moment }).catch(() => undefined);
    await halted;
    await leader.crash();
    const [first, second] = [await person.synced(), await person.synced()];
    expect(await person.converged(first, second)).toEqual(['one', 'two', 'three']);
    while ((await first.do('stored')).length < 3);
  });

  it.each(REFRESHING)('%s is still signed in', async (moment) => {
    const person = await world.person();
    const session = await person.session(0);
    const halted = world.pages.halted();
    const killed = await person.newTab();
    person.openIn(killed, { moment, session }).catch(() => undefined);
    await halted;
    const other = await person.open({ session });
    await killed.crash();
    await other.do('synced');
    const reopened = await person.synced();
    await reopened.do('send', person.chat.id, 'text');
    expect(await person.converged(other, reopened)).toEqual(['text']);
    expect(await other.do('leaders')).toEqual({ held: 1, waiting: 1 });
  });

  it('at any moment loses none of what was accepted, and keeps the order', async () => {
    const person = await world.person();
    const { chat, context } = person;
    const accepted: string[] = [];
    let onAccepted = (): void => undefined;
    await context.exposeFunction('accepted', (key: string) => {
      accepted.push(key);
      onAccepted();
    });
    let leader = await person.synced();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const next = await person.synced();
      const enough = accepted.length + 1 + 2 * kill;
      const isEnough = new Promise<void>((resolve) => {
        onAccepted = () => {
          if (accepted.length >= enough) resolve();
        };
      });
      leader.do('sendOn', chat.id, `from ${kill}:`).catch(() => undefined);
      await isEnough;
      await leader.crash();
      leader = next;
    }
    const texts = await person.converged(leader, await person.synced());
    const keys = (await person.history()).map(({ client_message_id }) => client_message_id);
    expect(accepted.filter((key) => keys.indexOf(key) < 0)).toEqual([]);
    expect(new Set(texts).size).toBe(texts.length);
    const sent = (kill: number): number[] =>
      texts.filter((text) => text!.startsWith(`from ${kill}: `)).map((text) => Number(text!.split(': ')[1]));
    for (let kill = 0; kill < KILLS; kill += 1) expect(sent(kill)).toEqual(sent(kill).map((_, index) => index));
  });

  it('with its whole browser has on the disk what it had accepted', async () => {
    await inTemporaryFolder(async (folder) => {
      const browser = await OwnChromium.start(folder);
      const person = await world.person(browser.context);
      const { chat, proxy } = person;
      const tab = await person.synced();
      proxy.block();
      const keys = [await tab.do('send', chat.id, 'one'), await tab.do('send', chat.id, 'two')];
      await browser.kill();
      proxy.unblock();
      const next = await OwnChromium.start(folder);
      person.context = next.context;
      try {
        const reopened = await person.synced({ session: undefined });
        expect(await person.converged(reopened)).toEqual(['one', 'two']);
        expect((await person.history()).map(({ client_message_id }) => client_message_id)).toEqual(keys);
      } finally {
        await next.kill();
      }
    });
  });
});
