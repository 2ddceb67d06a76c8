import { Agent, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import { atRate } from '../load/at-rate.js';
import { Figure } from '../report/figures.js';
import { CHATS, interleaved, type BenchTargets, settlePause } from '../targets/bench-targets.js';
import type { Measured } from '../load/load-figures.js';
import { RunProblem } from '../load/send-run.js';

const LOGINS_PER_SECOND = 200;
/** The allowed answers: a wrong password, and a refusal because too many logins wait. */
const ANSWERS = { checked: 401, refused: 503 } as const;

/** Stands for a broken connection. */
const NONE = 0;

/** Logins with unknown emails at a fixed rate, however fast the answers are. Each costs a password comparison. */
class LoginStorm {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly answers: Promise<number>[] = [];
  private readonly start = performance.now();
  private readonly stop = atRate(LOGINS_PER_SECOND, () => {
    this.answers.push(this.login(this.answers.length).catch(() => NONE));
  });

  constructor(private readonly port: number) {}

  /** Stops, and waits for the open requests. Returns how many logins a second were checked and refused. */
  async end(): Promise<Record<keyof typeof ANSWERS, number>> {
    this.stop();
    const seconds = (performance.now() - this.start) / 1_000;
    const statuses = await Promise.all(this.answers);
    this.agent.destroy();
    const others = statuses.filter((status) => !Object.values<number>(ANSWERS).includes(status));
    if (others.length > 0) throw new RunProblem([`logins were answered ${[...new Set(others)].join(', ')}`]);
    const rate = (status: number): number => statuses.filter((one) => one === status).length / seconds;
    return { checked: rate(ANSWERS.checked), refused: rate(ANSWERS.refused) };
  }

  private async login(n: number): Promise<number> {
    const { port, agent } = this;
    const headers = { 'Content-Type': 'application/json' };
    const outgoing = request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/auth/login', headers });
    outgoing.end(JSON.stringify({ email: `nobody${n}@example.com`, password: 'a wrong password' }));
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    incoming.resume();
    await once(incoming, 'end');
    return incoming.statusCode!;
  }
}

/** Measures sends during 200 logins a second, and without them. */
export async function storm(targets: BenchTargets, rounds: number): Promise<Measured> {
  const rate = new Figure('Sends in 128 chats in a login storm', 'messages/s', [{ over: 'calm' }], 'storm');
  const p99 = new Figure('Ack in a login storm, p99', 'ms', [{ over: 'calm' }], 'storm');
  const checked = new Figure('Logins looked at', 'logins/s', [], 'storm');
  const refused = new Figure('Logins told to come back', 'logins/s', [], 'storm');
  const ours = targets.of('ours');
  const shape = { inFlight: 1, warmUpMs: 1_000, windowMs: 4_000, halfLoadMs: 0 };
  await interleaved(['storm', 'calm'], rounds, async (weather, round) => {
    const logins = weather === 'storm' ? new LoginStorm(ours.server.port) : undefined;
    const { full } = await ours.send(CHATS.private, () => true, shape);
    const answered = await logins?.end();
    rate.add(round, weather, full.acks / full.seconds);
    p99.add(round, weather, full.latency.p99);
    if (answered) {
      checked.add(round, weather, answered.checked);
      refused.add(round, weather, answered.refused);
    }
    await settlePause();
  });
  return { figures: [rate, p99, checked, refused], loads: [] };
}
