import { RawWebSocket } from '../load/raw-socket.js';

/** The memory in bytes, after a full garbage collection. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
}

/** Reads the memory of a process that was started with `--inspect`, so no server needs a hook. */
export class Inspector {
  private readonly waiting = new Map<number, (result: unknown) => void>();
  private readonly socket: RawWebSocket;
  private serial = 0;

  constructor(url: string) {
    const { port, pathname } = new URL(url);
    const take = (text: string): void => {
      const { id, result } = JSON.parse(text) as { id: number; result: unknown };
      this.waiting.get(id)?.(result);
    };
    this.socket = new RawWebSocket(Number(port), pathname, take, () => undefined);
  }

  async memory(): Promise<Memory> {
    await this.call('HeapProfiler.collectGarbage');
    const expression = 'JSON.stringify(process.memoryUsage())';
    const { result } = (await this.call('Runtime.evaluate', { expression })) as { result: { value: string } };
    return JSON.parse(result.value) as Memory;
  }

  close(): void {
    this.socket.destroy();
  }

  private call(method: string, params = {}): Promise<unknown> {
    const id = ++this.serial;
    this.socket.send(JSON.stringify({ id, method, params }));
    this.socket.flush();
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }
}
