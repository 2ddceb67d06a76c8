import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { PASSWORD, TestApp } from '../../../test/support/test-app.js';
import type { Message } from '../../../src/contract/messages.js';
import type { Client } from '../src/client.js';
import { until } from './clients.js';

const SOURCE = pathToFileURL('clients/typescript/src/index.ts').href;

/** The first example of a document with this client. */
const exampleOf = (document: string): string =>
  [...readFileSync(document, 'utf8').matchAll(/```js\n([\s\S]*?)```/g)]
    .map(([, code]) => code!)
    .find((code) => code.includes("from '@windi-chat/client'"))!;

describe('the examples of the client', () => {
  it.each(['README.md', 'clients/typescript/README.md'])('in %s show and send messages', async (document) => {
    const app = await TestApp.start();
    try {
      const body = { name: 'Ada Lovelace', email: 'ada@example.org', password: PASSWORD };
      await app.request('POST', '/auth/register', { body });
      const grace = await app.user('Grace Hopper');
      const code = exampleOf(document)
        .replace("'@windi-chat/client'", `'${SOURCE}'`)
        .replace('http://localhost:8000', app.url);
      const shown: unknown[] = [];
      (globalThis as any).show = (...what: unknown[]) => shown.push(...what);
      const module = `${code.replaceAll('console.log', 'show')}\nexport { client, chat };`;
      const { client, chat } = (await import(`data:text/javascript,${encodeURIComponent(module)}`)) as {
        client: Client;
        chat: ReturnType<Client['chat']>;
      };
      await until(chat.state, (state) => state?.last_message?.status === 'sent');
      await client.close();
      const [message] = (await grace.get<Message[]>(`/history/${chat.id}`)).body;
      expect(message!.text).toBe('Привет!');
      expect(shown).toContain('Привет!');
    } finally {
      delete (globalThis as any).show;
      await app.close();
    }
  });
});
