import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TcpProxy } from '../support/tcp-proxy.js';
import { OwnPostgres } from '../support/own-postgres.js';
import { RedisServer } from '../support/redis-server.js';
import { ServerProcess } from '../support/server-process.js';

/** A node: a process between two TCP proxies, which keep its address across restarts. */
export interface Node {
  readonly name: string;
  /** Between its clients and the node. */
  readonly front: TcpProxy;
  /** Between the node and PostgreSQL. */
  readonly back: TcpProxy;
  process: ServerProcess;
}

/** The program of the nodes, and additional variables. */
export interface NodeProgram {
  /** A compiled program; the application's `main.js` when unset. */
  readonly program?: string;
  readonly env?: Record<string, string>;
}

/** Nodes with a separate PostgreSQL and Redis, all real processes on this machine. */
export class Cluster {
  private static readonly running = new Set<Cluster>();
  readonly nodes: Node[] = [];
  private stopping: Promise<void> | undefined;

  private constructor(
    readonly postgres: OwnPostgres,
    readonly redis: RedisServer,
    /** Deleted at the end. */
    readonly folder: string,
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

  /** Stops all running clusters, for a process that has to exit. */
  static async stopAll(): Promise<void> {
    await Promise.all([...Cluster.running].map((cluster) => cluster.stop()));
  }

  async restart(node: Node): Promise<void> {
    node.process = this.launch(node.back);
    node.front.retarget(await node.process.url());
  }

  /** Stops all processes, in whatever state they are. */
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

/** Resolves after `ms` milliseconds: a run follows a schedule in time. */
export const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));
