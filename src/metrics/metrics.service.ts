import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { StartupError } from '../common/errors/startup-error.js';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { SocketDisconnected } from '../common/socket.events.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { MessagesAppended } from '../messages/message.events.js';

/**
 * The metrics of this node for Prometheus: the process, HTTP requests by route, stored messages, and disconnects by
 * reason. With `METRICS_PORT`, and in production, they are served on a port of their own, else by `MetricsController`.
 * A label must not hold data of users, as each of its values is a time series.
 */
@Injectable()
export class MetricsService implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly registry = new Registry();
  private readonly messages = new Counter({
    name: 'windi_messages_created_total',
    help: 'Messages stored by this node.',
    registers: [this.registry],
  });
  private readonly requests = new Histogram({
    name: 'windi_http_request_duration_seconds',
    help: 'HTTP requests by route.',
    labelNames: ['method', 'route', 'status'],
    registers: [this.registry],
  });
  private readonly disconnects = new Counter({
    name: 'windi_socket_disconnects_total',
    help: 'Sockets that have left, by reason.',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  private server: Server | undefined;

  constructor(
    private readonly events: DomainEventBus,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    collectDefaultMetrics({ register: this.registry });
    this.events.on(MessagesAppended, ({ messages }) => this.messages.inc(messages.length));
    this.events.on(SocketDisconnected, ({ reason }) => this.disconnects.inc({ reason }));
  }

  /** @throws StartupError when the port can't be used */
  async onApplicationBootstrap(): Promise<void> {
    const { metricsPort, host } = this.config;
    if (metricsPort === undefined) return;
    const server = createServer(
      (_, response) => void this.text().then((body) => response.setHeader('Content-Type', this.contentType).end(body)),
    );
    await once(server.listen(metricsPort, host), 'listening').catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      throw new StartupError(`Port ${metricsPort} can't be used for /metrics (${code}): set METRICS_PORT.`);
    });
    this.server = server;
  }

  beforeApplicationShutdown(): void {
    this.server?.close();
  }

  /** Whether the main port serves the metrics. */
  get onMainPort(): boolean {
    return this.config.metricsPort === undefined;
  }

  /** The content type of `text`. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** The metrics in the text format of Prometheus. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Counts an answered request; `seconds` is how long it took. */
  observeRequest(method: string, route: string, status: number, seconds: number): void {
    this.requests.observe({ method, route, status }, seconds);
  }
}
