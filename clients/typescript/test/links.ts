import type { Channel, Locks, TabLinks, TabNews } from '../src/tabs.js';

interface Waiting {
  readonly owner: object;
  begin(): void;
}

/** The tabs of one browser: what Web Locks and BroadcastChannel do between them. A tab can be killed. */
export class Browser {
  private readonly held = new Map<string, Waiting>();
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly channels = new Map<Channel, { name: string; owner: object }>();
  private readonly killed = new WeakSet<object>();

  /** The links of a new tab. */
  newTab(): TabLinks & { kill: () => void } {
    const owner = {};
    const locks: Locks = { request: (name, { signal }, work) => this.request(owner, name, signal, work) };
    return { locks, openChannel: (name) => this.openChannel(owner, name), kill: () => this.kill(owner) };
  }

  /** A killed tab gives its locks back at once, hears nothing, and is heard no more. */
  private kill(owner: object): void {
    this.killed.add(owner);
    for (const [channel, of] of this.channels) if (of.owner === owner) this.channels.delete(channel);
    for (const [name, queue] of this.waiting)
      this.waiting.set(
        name,
        queue.filter((one) => one.owner !== owner),
      );
    for (const [name, holder] of this.held) if (holder.owner === owner) this.release(name, holder);
  }

  private request<T>(owner: object, name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (this.killed.has(owner)) return new Promise(() => undefined);
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = {
        owner,
        begin: () => {
          signal?.removeEventListener('abort', leave);
          this.held.set(name, waiting);
          const end = (): void => this.release(name, waiting);
          void work().then(resolve, reject).finally(end);
        },
      };
      if (signal?.aborted) return reject(new Error('aborted'));
      const leave = (): void => {
        const queue = this.waiting.get(name) ?? [];
        if (!queue.includes(waiting)) return;
        this.waiting.set(
          name,
          queue.filter((one) => one !== waiting),
        );
        reject(new Error('aborted'));
      };
      signal?.addEventListener('abort', leave);
      if (this.held.has(name)) this.waiting.set(name, [...(this.waiting.get(name) ?? []), waiting]);
      else waiting.begin();
    });
  }

  private release(name: string, holder: Waiting): void {
    if (this.held.get(name) !== holder) return;
    this.held.delete(name);
    this.waiting.get(name)?.shift()?.begin();
  }

  private openChannel(owner: object, name: string): Channel {
    const channel: Channel = {
      onmessage: null,
      postMessage: (news) => this.post(channel, name, news),
      close: () => this.channels.delete(channel),
    };
    this.channels.set(channel, { name, owner });
    return channel;
  }

  private post(from: Channel, name: string, news: TabNews): void {
    if (!this.channels.has(from)) return;
    for (const [channel, of] of this.channels) {
      if (channel === from || of.name !== name) continue;
      setImmediate(() => this.channels.has(channel) && channel.onmessage?.({ data: structuredClone(news) }));
    }
  }
}
