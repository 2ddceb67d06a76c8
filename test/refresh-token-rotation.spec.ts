import fc from 'fast-check';
import { RevokedSessionsRegistry } from '../src/auth/revoked-sessions.registry.js';
import { SessionsService } from '../src/auth/sessions.service.js';
import { runsOf } from './support/runs-of.js';
import { TestApp, type TestUser } from './support/test-app.js';

/** Checks random client behaviour with the tokens of one session against a model. */

/**
 * A refresh with the client's newest token (`age` 0), the one before (1) …, with an id of the client's own or without;
 * `lost`: the answer never arrives.
 */
type Step = { kind: 'refresh'; age: number; id?: string; lost: boolean } | { kind: 'logout' };

/** Concurrent steps; `late`: they come more than a minute after the steps before. */
interface Round {
  readonly late: boolean;
  readonly steps: readonly Step[];
}

/**
 * The state of a session in the model: whether it is active, how often its token was replaced, and of the latest time:
 * the id that came with it, and whether it was more than a minute ago.
 */
interface Model {
  readonly live: boolean;
  readonly generation: number;
  readonly id?: string;
  readonly late: boolean;
}

/** A step that was executed: the generation of its token, its id, and whether it was accepted. */
interface Outcome {
  readonly generation?: number;
  readonly id?: string;
  readonly granted?: boolean;
}

const ended = (model: Model): Model => ({ ...model, live: false });

/** Whether the model grants a refresh with the token before the current one. */
const grantsRetry = (model: Model, id: string | undefined): boolean =>
  !model.late || (id !== undefined && id === model.id);

/** The state after the step, or undefined when the model expects another answer. */
function after(model: Model, { generation, id, granted }: Outcome): Model | undefined {
  if (generation === undefined) return ended(model);
  const age = model.generation - generation;
  const grants = model.live && (age === 0 || (age === 1 && grantsRetry(model, id)));
  if (granted !== grants) return undefined;
  if (!grants) return ended(model);
  return age === 0 ? { live: true, generation: generation + 1, id, late: false } : model;
}

/** All states that these concurrent steps can lead to, in any order. */
function explain(models: readonly Model[], outcomes: readonly Outcome[]): Model[] {
  if (outcomes.length === 0) return [...models];
  const reached = outcomes.flatMap((first, index) => {
    const next = models.flatMap((model) => after(model, first) ?? []);
    return next.length > 0 ? explain(next, outcomes.toSpliced(index, 1)) : [];
  });
  return [...new Map(reached.map((model) => [JSON.stringify(model), model])).values()];
}

const step = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('refresh' as const),
      age: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.constant(1) }, fc.nat(3)),
      id: fc.constantFrom('a', 'b', undefined),
      lost: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'logout' as const }) },
);
/** Consecutive rounds, each with up to three concurrent steps. */
const round = fc.record({ late: fc.boolean(), steps: fc.array(step, { minLength: 1, maxLength: 3 }) });
const history = fc.array(round, { minLength: 1, maxLength: 6 });

describe('refresh token rotation', () => {
  let app: TestApp;
  let ada: TestUser;
  beforeAll(async () => {
    app = await TestApp.start();
    ada = await app.user();
  });
  afterAll(() => app.close());

  const client = { userAgent: null, address: '127.0.0.1' };

  /** A client with one session: all issued tokens by generation, and the generations that the client has received. */
  class Run {
    private readonly tokens: string[];
    private readonly held = [0];
    private models: Model[] = [{ live: true, generation: 0, late: false }];

    private constructor(
      readonly id: string,
      first: string,
    ) {
      this.tokens = [first];
    }

    static async start(): Promise<Run> {
      const { sessionId, tokens } = await app.nest.get(SessionsService).open(ada.id, client);
      return new Run(sessionId, tokens.refresh_token);
    }

    /** Executes the steps of a round at once, and checks the results against the model. */
    async together({ late, steps }: Round): Promise<void> {
      if (late) await this.waitAMinute();
      const held = this.held.toSorted((one, other) => other - one);
      const outcomes = await Promise.all(
        steps.map((each) =>
          each.kind === 'logout' ? this.logout() : this.refresh(held[each.age % held.length]!, each),
        ),
      );
      const models = explain(this.models, outcomes);
      if (models.length === 0) throw new Error(`no order explains ${JSON.stringify({ from: this.models, outcomes })}`);
      this.models = models;
    }

    /** The session list and the access token must agree with the model, too. */
    check(): void {
      const revoked = app.nest.get(RevokedSessionsRegistry).has(this.id);
      expect(this.models.some(({ live }) => live === !revoked)).toBe(true);
      this.models = this.models.filter(({ live }) => live === !revoked);
    }

    async logout(): Promise<Outcome> {
      await app.nest.get(SessionsService).logout({ userId: ada.id, sessionId: this.id, expiresAt: 0 });
      return {};
    }

    /** Nobody waits for it: the latest rotation becomes older. */
    private async waitAMinute(): Promise<void> {
      await app.sql(`UPDATE sessions SET rotated_at = rotated_at - interval '61 s' WHERE id = $1`, [this.id]);
      this.models = this.models.map((model) => ({ ...model, late: true }));
    }

    private async refresh(generation: number, { id, lost }: { id?: string; lost: boolean }): Promise<Outcome> {
      const answer = await app.nest
        .get(SessionsService)
        .refresh({ refresh_token: this.tokens[generation]!, client_refresh_id: id }, client)
        .catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'unauthorized' });
        });
      if (!answer) return { generation, id, granted: false };
      const next = generation + 1;
      this.tokens[next] ??= answer.refresh_token;
      expect(answer.refresh_token).toBe(this.tokens[next]);
      expect(new Set(this.tokens).size).toBe(this.tokens.length);
      if (!lost && !this.held.includes(next)) this.held.push(next);
      return { generation, id, granted: true };
    }
  }

  it('agrees with the model in random histories', async () => {
    const property = fc.asyncProperty(history, async (rounds) => {
      const run = await Run.start();
      for (const each of rounds) {
        await run.together(each);
        run.check();
      }
      await run.logout();
    });
    // Four at once: a history mostly waits for the database.
    await Promise.all([1, 2, 3, 4].map(() => fc.assert(property, { numRuns: runsOf(50, 500) })));
  }, 600_000);
});
