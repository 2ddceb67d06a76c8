import type { Browser, BrowserContext } from 'playwright-core';
import type { Chat } from '../../../../src/contract/chats.js';
import type { Message } from '../../../../src/contract/messages.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { TestApp, type TestUser } from '../../../../test/support/test-app.js';
import type { KeptSession } from '../../src/index.js';
import { ChromiumTab, launch } from './chromium.js';
import type { PageOptions } from './page.js';
import { PageServer } from './page-server.js';

/** The real server and a real browser. */
export class World {
  private readonly people: Person[] = [];

  private constructor(
    readonly app: TestApp,
    readonly pages: PageServer,
    private readonly browser: Browser,
  ) {}

  static async start(): Promise<World> {
    const [app, pages, browser] = await Promise.all([TestApp.start(), PageServer.start(), launch()]);
    return new World(app, pages, browser);
  }

  /** A new person with a group, and a profile of the browser; or one that is there already. */
  async person(profile?: BrowserContext): Promise<Person> {
    const user = await this.app.user();
    const context = profile ?? (await this.browser.newContext());
    const proxy = await TcpProxy.inFrontOf(this.app.url);
    const person = new Person(user, await user.group(), context, proxy, this.pages);
    this.people.push(person);
    return person;
  }

  async close(): Promise<void> {
    await this.browser.close();
    for (const { proxy } of this.people) proxy.close();
    this.pages.close();
    await this.app.close();
  }
}

/** Somebody with a browser, which can be cut off from the server. */
export class Person {
  constructor(
    readonly user: TestUser,
    readonly chat: Chat,
    public context: BrowserContext,
    readonly proxy: TcpProxy,
    private readonly pages: PageServer,
  ) {}

  /** A tab without a client. */
  newTab(path = '/'): Promise<ChromiumTab> {
    return ChromiumTab.open(this.context, `${this.pages.origin}${path}`);
  }

  /** A tab with a client, which may not be synced yet. */
  async open(options: Partial<PageOptions> = {}): Promise<ChromiumTab> {
    const tab = await this.newTab();
    await this.openIn(tab, options);
    return tab;
  }

  /** The same in a tab that is there; it never resolves when the page halts before. */
  async openIn(tab: ChromiumTab, options: Partial<PageOptions> = {}): Promise<void> {
    await tab.do('open', { url: this.proxy.origin, session: await this.session(), ...options });
  }

  /** A tab that is synced. */
  async synced(options: Partial<PageOptions> = {}): Promise<ChromiumTab> {
    const tab = await this.open(options);
    await tab.do('synced');
    return tab;
  }

  /** The session as a login leaves it. */
  async session(lifetimeMs = 900_000): Promise<KeptSession> {
    const { body: account } = await this.user.get('/auth/me');
    const { token: access_token, refreshToken: refresh_token } = this.user;
    return { account, access_token, refresh_token, expires_at: Date.now() + lifetimeMs };
  }

  /** The messages of the group, the oldest first, as the server has them. */
  async history(): Promise<Message[]> {
    const all: Message[] = [];
    for (let isMore = true; isMore;) {
      const page = await this.user.get<Message[]>(`/history/${this.chat.id}?limit=100&after_seq=${all.length}`);
      all.push(...page.body);
      isMore = page.body.length > 0;
    }
    return all;
  }

  /** Waits until the tabs have settled, and checks that each shows what the server has. Returns the texts. */
  async converged(...tabs: readonly ChromiumTab[]): Promise<(string | null)[]> {
    for (const tab of tabs) await tab.do('settled');
    const history = await this.history();
    for (const tab of tabs) {
      if (history.length > 0) await tab.do('untilLast', this.chat.id, history.at(-1)!.text!);
      const shown = await tab.do('shown', this.chat.id);
      expect(shown.map(({ key, seq, text }) => ({ key, seq, text }))).toEqual(
        history.map(({ client_message_id: key, seq, text }) => ({ key, seq, text })),
      );
    }
    return history.map(({ text }) => text);
  }
}
