import { randomUUID } from 'node:crypto';
import { request } from '../../test/support/http.js';
import type { Account, Tokens } from '../../src/contract/users.js';

export const PASSWORD = 'correct horse';
/** Tokens of the suite live for 20 seconds. */
const FRESH_MS = 10_000;

/** A person, who does everything over REST, and not through the proxy. */
export class Person {
  private token = '';
  private loggedInAt = 0;

  private constructor(
    private readonly url: string,
    readonly email: string,
    readonly id: number,
  ) {}

  static async register(url: string, name: string): Promise<Person> {
    const email = `${name}-${randomUUID()}@example.org`;
    const { status, body } = await request<Account>(url, 'POST', '/auth/register', {
      body: { name, email, password: PASSWORD },
    });
    if (status !== 201) throw new Error(`register: ${status} ${JSON.stringify(body)}`);
    return new Person(url, email, body.id);
  }

  /** @throws Error when it is refused */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    if (Date.now() - this.loggedInAt > FRESH_MS) await this.logIn();
    const answer = await request<T>(this.url, method, path, { token: this.token, body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  private async logIn(): Promise<void> {
    const body = { username: this.email, password: PASSWORD };
    const answer = await request<Tokens>(this.url, 'POST', '/auth/login', { body });
    if (answer.status !== 200) throw new Error(`login: ${answer.status} ${JSON.stringify(answer.body)}`);
    this.token = answer.body.access_token;
    this.loggedInAt = Date.now();
  }
}
