/* eslint-disable @typescript-eslint/no-deprecated -- The renderer that replaces it needs a DOM. */
import { createElement, type ReactElement } from 'react';
import { act, create } from 'react-test-renderer';
import { TestApp, type TestUser } from '../../../test/support/test-app.js';
import type { Client } from '../src/client.js';
import { useChat, useChats, useMessage, useMessages, useStatus } from '../src/react.js';
import { Clients, until } from './clients.js';

describe('the hooks for React', () => {
  let app: TestApp;
  const clients = new Clients(() => app);
  const globals = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean };

  beforeAll(async () => {
    globals.IS_REACT_ACT_ENVIRONMENT = true;
    app = await TestApp.start();
  });
  afterAll(async () => {
    delete globals.IS_REACT_ACT_ENVIRONMENT;
    await clients.close();
    await app.close();
  });

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
    let page: ReturnType<typeof create>;
    await act(() => void (page = create(createElement(Page, { client, chatId: chat.id }))));
    const rendered = (): string => JSON.stringify(page.toJSON());
    expect(rendered()).toContain('connected');
    await act(async () => {
      const key = await client.chat(chat.id).send('Hello!');
      await until(client.chat(chat.id).message(key), (message) => message?.status === 'sent');
    });
    expect(rendered()).toContain('Hello! sent;');
    await act(() => page.update(createElement(Page, { client, chatId: other.id })));
    expect(rendered()).toContain(other.name);
    expect(rendered()).not.toContain('Hello!');
    await act(() => page.unmount());
  });
});
