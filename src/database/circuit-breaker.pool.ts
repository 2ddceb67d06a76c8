import { Client, Pool, type PoolClient, type PoolConfig } from 'pg';

/** The pause between a failed probe and the next one, in milliseconds. */
const PROBE_INTERVAL_MS = 200;

/**
 * pg's messages for a missing answer. They mean that PostgreSQL is unresponsive: it ends a statement that is slow or
 * waits for a lock by itself, with an error, before the client's timeout (`data-source-options.ts`).
 */
const NO_ANSWER = /^(Query read timeout|Connection terminated due to connection timeout|timeout expired)$/;

const isUnresponsive = (error: unknown): boolean => NO_ANSWER.test((error as Error).message);

/** The callback of pg's `connect`. */
type Callback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  release: (error?: Error | boolean) => void,
) => void;

/**
 * A connection that is destroyed when an answer doesn't come in time. pg would go on using it: each later query, the
 * ROLLBACK first of all, would wait behind the lost one, for as long again (node-postgres #3399).
 */
class CircuitBreakerClient extends Client {
  /** When the connection was made, on the process's clock. */
  readonly connectedAt = performance.now();
  /** Called when an answer doesn't come; the pool sets it. */
  onUnresponsive: () => void = () => undefined;

  /** Has all signatures of pg's `query`. It returns what pg returns, and only listens for the missing answer. */
  override query(...args: never[]): never {
    const answer: unknown = super.query(...(args as unknown as [string]));
    if (answer instanceof Promise) answer.catch((error: unknown) => isUnresponsive(error) && this.giveUp());
    return answer as never;
  }

  private giveUp(): void {
    this.connection.stream.destroy();
    this.onUnresponsive();
  }
}

/**
 * A pool that fails fast while PostgreSQL is unresponsive: it is stopped, or the network drops its packets. Without it,
 * everything that waits in queues would wait for a whole timeout in vain, one after the other. TypeORM makes the pool,
 * as `data-source-options.ts` names it.
 *
 * States:
 * - *closed*: `connect` lends connections, as pg does. `outage` is undefined;
 * - *open*: `connect` fails at once, with SQLSTATE 08006 (connection failure). `outage` is set;
 * - *half-open*: still open, while one probe, a `SELECT`, is running.
 *
 * Transitions:
 * - closed → open: an answer doesn't come in time, to a statement or to an attempt to connect. An error that PostgreSQL
 *   or the network answers, a refused connection for one, leaves the pool closed;
 * - open → half-open: at once, and 200 ms after a probe that failed;
 * - half-open → closed: the probe is answered. Half-open → open: it fails, or isn't answered.
 *
 * Invariants: while the pool is not closed, only the probe gets a connection. A connection from before the last opening
 * is never lent again, and an answer that it misses does not open the pool again.
 */
export class CircuitBreakerPool extends Pool {
  /** Set while the pool is open; resolves when it closes. */
  private outage: Promise<void> | undefined;
  /** When the pool was last opened, on the process's clock. Connections from before are not lent again. */
  private trustedSince = 0;

  constructor(options: PoolConfig) {
    super({ ...options, Client: CircuitBreakerClient });
    this.on('connect', (client) => {
      const breakerClient = client as unknown as CircuitBreakerClient;
      breakerClient.onUnresponsive = () => this.isTrusted(breakerClient) && this.open();
    });
  }

  /** Whether the pool is open or half-open: it lends no connection. */
  get isOpen(): boolean {
    return this.outage !== undefined;
  }

  /** Lends a trusted connection. While the pool is open, it fails with an error of SQLSTATE 08006. */
  override connect(): Promise<PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<PoolClient> | undefined {
    if (!callback) {
      return new Promise((resolve, reject) =>
        this.connect((error, client) => (error ? reject(error) : resolve(client!))),
      );
    }
    if (this.outage)
      callback(Object.assign(new Error('PostgreSQL is unresponsive'), { code: '08006' }), undefined, () => undefined);
    else this.lend(callback);
    return undefined;
  }

  /** Lends a trusted connection, whatever the state is, and destroys the others that the pool offers. */
  private lend(callback: Callback): void {
    super.connect((error, client, release) => {
      if (error && isUnresponsive(error)) this.open();
      if (!client || this.isTrusted(client as unknown as CircuitBreakerClient)) {
        callback(error, client, release);
        return;
      }
      release(true);
      this.lend(callback);
    });
  }

  /** Whether the connection was made after the last opening. An older one proves nothing about the current state. */
  private isTrusted({ connectedAt }: CircuitBreakerClient): boolean {
    return connectedAt >= this.trustedSince;
  }

  /** Opens the pool, and closes it again after the first probe that is answered. */
  private open(): void {
    if (this.outage) return;
    this.trustedSince = performance.now();
    this.outage = this.probeUntilAnswered().finally(() => (this.outage = undefined));
  }

  /** Resolves when a probe is answered, or the pool ends. */
  private async probeUntilAnswered(): Promise<void> {
    while (!this.ending && !(await this.probe())) await new Promise((wake) => setTimeout(wake, PROBE_INTERVAL_MS));
  }

  /** Whether PostgreSQL answers a statement on a trusted connection. */
  private probe(): Promise<boolean> {
    return new Promise((resolve) => {
      this.lend((error, client, release) => {
        if (!client) return resolve(false);
        client.query('SELECT').then(
          () => {
            release();
            resolve(true);
          },
          (failure: unknown) => {
            release(failure as Error);
            resolve(false);
          },
        );
      });
    });
  }
}
