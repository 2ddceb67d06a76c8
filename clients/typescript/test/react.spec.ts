import { Window } from 'happy-dom';
import { act, createElement, type ReactElement } from 'react';
import type { Root } from 'react-dom/client';
import { TestApp, type TestUser } from '../../../test/support/test-app.js';
import type { Client } from '../src/client.js';
import { useChat, useChats, useMessage, useMessages, useStatus } from '../src/react.js';
import { Clients, until } from './clients.js';

describe('the hooks for React', () => {
  let app: TestApp;
  let page: Window;
  let root: Root;
  const clients = new Clients(() => app);
  const globals = globalThis as Record<string, unknown>;

  beforeAll(async () => {
    page = new Window();
    const { document, navigator } = page;
    Object.assign(globals, { window: page, document, navigator, IS_REACT_ACT_ENVIRONMENT: true });
    app = await TestApp.start();
  });
  afterAll(async () => {
    await clients.close();
    await app.close();
    await page.happyDOM.close();
    for (const name of ['window', 'document', 'navigator', 'IS_REACT_ACT_ENVIRONMENT'])
      Reflect.deleteProperty(globals, name);
  });
  beforeEach(async () => {
    // It looks for the DOM when it is imported.
    const { createRoot } = await import('react-dom/client');
    root = createRoot(page.document.body as never);
  });
  afterEach(() => act(() => root.unmount()));

  const render = (element: ReactElement): void => act(() => root.render(element));
  const rendered = (): string => page.document.body.textContent;

  function Text({ client, chatId, id }: { client: Client; chatId: number; id: string }): string {
    const message = useMessage(client, chatId, id);
    return `${message?.text} ${message?.status};`;
  }
  function Page({ client, chatId }: { client: Client; chatId: number }): ReactElement {
    const [{ keys }] = useMessages(client, chatId);
    const texts = keys.map((key) => createElement(Text, { key, client, chatId, id: key }));
    const name = useChat(client, chatId)?.name;
    return createElement('p', {}, useStatus(client).connection, useChats(client).length, name, ...texts);
  }

  it('render what changes, and what another chat has', async () => {
    const [one, two] = (await app.users(2)) as [TestUser, TestUser];
    const client = await clients.of(one);
    const [chat, other] = [await one.group(two), await one.group(two)];
    await until(client.chats.list, (list) => list.length === 2);
    render(createElement(Page, { client, chatId: chat.id }));
    expect(rendered()).toContain('connected');
    await act(async () => {
      const key = await client.chat(chat.id).send('Hello!');
      await until(client.chat(chat.id).message(key), (message) => message?.status === 'sent');
    });
    expect(rendered()).toContain('Hello! sent;');
    render(createElement(Page, { client, chatId: other.id }));
    expect(rendered()).toContain(other.name);
    expect(rendered()).not.toContain('Hello!');
  });

  it('never render one message in the place of another', async () => {
    const user = await app.user();
    const client = await clients.of(user);
    const chat = await user.group();
    await until(client.chat(chat.id).state, (state) => state !== undefined);
    const [first, second] = [await client.chat(chat.id).send('first'), await client.chat(chat.id).send('second')];
    const renders: [id: string, text: string | null | undefined][] = [];
    function Watched({ id }: { id: string }): null {
      renders.push([id, useMessage(client, chat.id, id)?.text]);
      return null;
    }
    render(createElement(Watched, { id: first }));
    render(createElement(Watched, { id: second }));
    expect(renders.at(-1)).toEqual([second, 'second']);
    for (const [id, text] of renders) expect(text).toBe(id === first ? 'first' : 'second');
  });
});
