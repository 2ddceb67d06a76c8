import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { MessageMappingProperties } from '@nestjs/websockets';
import type { PinoLogger } from 'nestjs-pino';
import type { Server, ServerOptions } from 'socket.io';
import { isOriginAllowed } from './allowed-origin.js';
import type { ChatSocket } from './chat-socket.js';
import { coalesceWrites } from './coalesce-writes.js';
import { CommandDispatcher, type CommandHandler } from './command-dispatcher.js';

/** Socket.IO with the contract's bounds and one dispatcher for each socket. */
export class SocketAdapter extends IoAdapter {
  /** Where each event's handler stands in the list Nest makes for every socket; the same for all of them. */
  private positions: ReadonlyMap<string, number> | undefined;

  constructor(
    app: INestApplicationContext,
    private readonly corsOrigins: readonly string[] | true,
    private readonly pino: PinoLogger,
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const server = super.createIOServer(port, {
      ...options,
      cors: { origin: this.corsOrigins === true ? true : [...this.corsOrigins] },
      allowRequest: ({ headers }, decide) => decide(null, isOriginAllowed(headers, this.corsOrigins)),
      serveClient: false,
      destroyUpgrade: false, // PlainWebSocketServer answers every upgrade that isn't Socket.IO's.
      maxHttpBufferSize: 64 * 1024,
      connectTimeout: 5_000,
    } as ServerOptions);
    coalesceWrites(server);
    return server;
  }

  override bindMessageHandlers(socket: never, handlers: MessageMappingProperties[]): void {
    const positions = (this.positions ??= new Map(handlers.map(({ message }, index) => [message as string, index])));
    const handlerOf = (event: string): CommandHandler | undefined => {
      const position = positions.get(event);
      return position === undefined ? undefined : (handlers[position]!.callback as CommandHandler);
    };
    new CommandDispatcher(socket as ChatSocket, handlerOf, this.pino);
  }
}
