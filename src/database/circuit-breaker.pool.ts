import { Client, Pool, type PoolClient, type PoolConfig } from 'pg';

/** How long after a try to reach a silent PostgreSQL the next one starts, in milliseconds. */
const PROBE_INTERVAL_MS = 200;

/** What pg says when nothing came back at all. A statement that is slow or waits for a lock is ended, and told of, by the server. */
const NO_ANSWER = /^(Query read timeout|Connection terminated due to connection timeout|timeout expired)$/;

const isUnresponsive = (error: unknown): boolean => NO_ANSWER.test((error as Error).message);

type Callback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  release: (error?: Error | boolean) => void,
) => void;

/**
 * A connection that ends with the first answer that doesn't come. pg would go on using it and let every later query,
 * the ROLLBACK first of all, wait behind the lost one for as long again (node-postgres #3399).
 */
class CircuitBreakerClient extends Client {
  readonly connectedAt = performance.now();
  onUnresponsive: () => void = () => undefined;

  /** Stands for all of pg's signatures; the answer is only watched. */
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
 * A pool that notices when PostgreSQL is silent: stopped, or behind a network that swallows packets. What waits in queues
 * would each wait in vain for a whole timeout, one after the other; so from the first answer that doesn't come until
 * PostgreSQL answers again everybody is refused at once. Connections from before the silence are then replaced.
 */
export class CircuitBreakerPool extends Pool {
  private outage: Promise<void> | undefined;
  private trustedSince = 0;

  constructor(options: PoolConfig) {
    super({ ...options, Client: CircuitBreakerClient });
    this.on('connect', (client) => {
      const watched = client as unknown as CircuitBreakerClient;
      watched.onUnresponsive = () => this.isTrusted(watched) && this.open();
    });
  }

  /** A connection that can be relied on; the error has SQLSTATE 08006 (connection failure) while PostgreSQL is silent. */
  override connect(): Promise<PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<PoolClient> | undefined {
    if (!callback) {
      return new Promise((resolve, reject) =>
        this.connect((error, client) => (error ? reject(error) : resolve(client!))),
      );
    }
    if (this.outage)
      callback(Object.assign(new Error('PostgreSQL is silent'), { code: '08006' }), undefined, () => undefined);
    else this.lend(callback);
    return undefined;
  }

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

  /** A connection from before the last silence says nothing about now. */
  private isTrusted({ connectedAt }: CircuitBreakerClient): boolean {
    return connectedAt >= this.trustedSince;
  }

  private open(): void {
    if (this.outage) return;
    this.trustedSince = performance.now();
    this.outage = this.probeUntilAnswered().finally(() => (this.outage = undefined));
  }

  /** Resolves when PostgreSQL answers again, or nobody asks any more. */
  private async probeUntilAnswered(): Promise<void> {
    while (!this.ending && !(await this.probe())) await new Promise((wake) => setTimeout(wake, PROBE_INTERVAL_MS));
  }

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
