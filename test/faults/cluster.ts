import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TcpProxy } from '../support/tcp-proxy.js';
import { OwnPostgres } from '../support/own-postgres.js';
import { RedisServer } from '../support/redis-server.js';
import { ServerProcess } from '../support/server-process.js';

/** A node: a process between two gates, whose address outlives it. */
export interface Node {
  readonly name: string;
  /** Between its clients and the node. */
  readonly front: TcpProxy;
  /** Between the node and PostgreSQL. */
  readonly back: TcpProxy;
  process: ServerProcess;
}

/** What the nodes are started with besides their addresses. */
export interface NodeProgram {
  /** Compiled; the application's own `main.js` when unset. */
  readonly program?: string;
  readonly env?: Record<string, string>;
}

/** Three nodes, a PostgreSQL and a Redis of their own, all as real processes on this machine. */
export class Cluster {
  private static readonly running = new Set<Cluster>();
  readonly nodes: Node[] = [];
  private stopping: Promise<void> | undefined;

  private constructor(
    readonly postgres: OwnPostgres,
    readonly redis: RedisServer,
    private readonly folder: string,
    private readonly program: NodeProgram,
  ) {}

  static async start(size: number, program: NodeProgram = {}): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'windi-faults-'));
    const [postgres, redis] = await Promise.all([OwnPostgres.start(), RedisServer.start()]);
    const cluster = new Cluster(postgres, redis, folder, program);
    Cluster.running.add(cluster);
    try {
      for (let index = 1; index <= size; index += 1) await cluster.addNode(`node${index}`);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Ends what runs, for a process that is told to end. */
  static async stopAll(): Promise<void> {
    await Promise.all([...Cluster.running].map((cluster) => cluster.stop()));
  }

  async restart(node: Node): Promise<void> {
    node.process = this.launch(node.back);
    node.front.retarget(await node.process.url());
  }

  /** Ends everything, whatever state it is in. */
  stop(): Promise<void> {
    return (this.stopping ??= this.end());
  }

  private async end(): Promise<void> {
    for (const { front, back, process } of this.nodes) {
      front.close();
      back.close();
      await process.stop('SIGKILL');
    }
    await this.postgres.close();
    await this.redis.stop();
    await rm(this.folder, { recursive: true, force: true });
    Cluster.running.delete(this);
  }

  private async addNode(name: string): Promise<void> {
    const back = await TcpProxy.inFrontOf(this.postgres.url);
    const process = this.launch(back);
    this.nodes.push({ name, back, process, front: await TcpProxy.inFrontOf(await process.url()) });
  }

  private launch(back: TcpProxy): ServerProcess {
    const env = {
      DATABASE_URL: back.url,
      REDIS_URL: this.redis.url,
      JWT_SECRET: 'the secret of all nodes, long enough for it',
      ACCESS_TOKEN_TTL: '12h',
      RATE_LIMIT: 'off',
      LOG_LEVEL: 'warn',
      ...this.program.env,
    };
    return ServerProcess.start(this.folder, env, this.program.program);
  }
}

/** Resolves after so many milliseconds: the schedule of a run is made of time. */
export const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));
