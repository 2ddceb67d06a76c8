import type { Problem } from '../../../src/contract/errors.js';
import type { Clock } from './clock.js';
import { noAnswer, problem } from './errors.js';
import type { paths } from './generated/openapi.js';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The paths of the API that have this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];

type Json<Response> = Response extends { content: { 'application/json': infer Body } } ? Body : undefined;
type Success<Responses> = Json<Responses[Extract<keyof Responses, 200 | 201 | 204>]>;

/** What a call is answered with. */
export type AnswerOf<M extends Method, P extends PathOf<M>> = paths[P][M] extends { responses: infer Responses }
  ? Success<Responses>
  : never;

type PathPart<O> = O extends { parameters: { path: infer Ids } } ? { ids: Ids } : { ids?: undefined };
type QueryPart<O> = O extends { parameters: { query?: infer Query } } ? { query?: Query } : { query?: undefined };
type BodyPart<O> = O extends { requestBody: { content: { 'application/json': infer Body } } }
  ? { body: Body; form?: undefined }
  : O extends { requestBody: { content: { 'application/x-www-form-urlencoded': infer Form } } }
    ? { form: Form; body?: undefined }
    : { body?: undefined; form?: undefined };

/** What a call takes: the parameters of its path, its query, and its body or form. */
export type RequestOf<M extends Method, P extends PathOf<M>> = PathPart<paths[P][M]> &
  QueryPart<paths[P][M]> &
  BodyPart<paths[P][M]>;

/** A request whose types are known to the caller. */
interface Loose {
  readonly ids?: object;
  readonly query?: object;
  readonly body?: unknown;
  readonly form?: object;
  readonly token?: string;
}

const ANSWER_WITHIN_MS = 15_000;

const parametersOf = (values: object): string =>
  new URLSearchParams(
    Object.entries(values).filter(([, value]) => value !== undefined) as [string, string][],
  ).toString();

/** The REST API, with the types of `openapi.json`. */
export class Rest {
  readonly #underWay = new Set<AbortController>();

  readonly #url: string;
  readonly #send: typeof fetch;
  readonly #clock: Clock;

  constructor(url: string, send: typeof fetch, clock: Clock) {
    this.#url = url;
    this.#send = send;
    this.#clock = clock;
  }

  /** @throws ChatError the code of the refusal, or `no_answer` */
  async call<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    request: RequestOf<M, P> & { token?: string },
  ): Promise<AnswerOf<M, P>> {
    const { ids, query, token, body, form } = request as Loose;
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => String((ids as Record<string, unknown>)[name]));
    const search = query ? `?${parametersOf(query)}` : '';
    const headers = {
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(form && { 'Content-Type': 'application/x-www-form-urlencoded' }),
    };
    const content = form ? parametersOf(form) : body === undefined ? undefined : JSON.stringify(body);
    return (await this.#fetch(`${this.#url}${filled}${search}`, {
      method: method.toUpperCase(),
      headers,
      body: content,
    })) as AnswerOf<M, P>;
  }

  /** Ends what is under way: it rejects with `no_answer`. */
  close(): void {
    for (const abort of this.#underWay) abort.abort();
  }

  async #fetch(url: string, request: RequestInit): Promise<unknown> {
    const abort = new AbortController();
    const timer = this.#clock.setTimeout(() => abort.abort(), ANSWER_WITHIN_MS);
    this.#underWay.add(abort);
    let response: Response;
    let text: string;
    let answer: unknown;
    try {
      response = await this.#send(url, { ...request, signal: abort.signal });
      text = await response.text();
      // A part of an answer, or one of something that stands between, is none.
      answer = text === '' ? undefined : JSON.parse(text);
    } catch {
      throw noAnswer();
    } finally {
      this.#clock.clearTimeout(timer);
      this.#underWay.delete(abort);
    }
    if (response.ok) return answer;
    if (!(answer as Problem | undefined)?.code) throw noAnswer();
    throw problem(answer as Problem, response.headers.get('Retry-After'));
  }
}
