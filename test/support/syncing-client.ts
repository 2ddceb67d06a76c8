import type { ChatWithMembers } from '../../src/contract/chats.js';
import type { News, SyncRequest } from '../../src/contract/sync.js';
import type { Device } from './device.js';
import { Replica } from './replica.js';
import type { TestUser } from './test-app.js';

interface SyncOptions {
  readonly limit?: number;
  /** How many chats a call names at the most. */
  readonly part?: number;
  /** The cursors are ahead of the server, so all chats come with `reset`. */
  readonly reset?: boolean;
  /** What happens after the server has answered, and before the answer arrives. Its events overtake the answer. */
  readonly overtakenBy?: () => Promise<unknown>;
}

const AHEAD = 10_000;

/** A user with a device that keeps a `Replica`. `hears` says of each event whether it arrives. */
export class SyncingClient {
  replica!: Replica;
  /** Whether an event since the last sync has shown that something is missing. */
  private hasGap = false;

  private constructor(
    readonly user: TestUser,
    readonly device: Device,
  ) {
    this.forget();
  }

  static async of(user: TestUser, hears: () => boolean = () => true): Promise<SyncingClient> {
    const client = new SyncingClient(user, await user.device());
    client.device.socket.onAny((event: string, payload: unknown) => {
      if (hears()) client.replica.apply(event, payload);
    });
    return client;
  }

  /** Drops all that it holds, as a new installation does. */
  forget(): void {
    this.replica = new Replica(this.user.id, () => (this.hasGap = true));
  }

  async sync({ limit, part, reset = false, overtakenBy }: SyncOptions = {}): Promise<void> {
    const { replica } = this;
    this.hasGap = false;
    const call = async (request: SyncRequest): Promise<News> => {
      if (reset) for (const cursor of Object.values(request.cursors)) cursor.seq += AHEAD;
      const ack = await this.device.command('sync', request);
      if (!ack.ok) throw new Error(JSON.stringify(ack.error));
      await overtakenBy?.();
      if (overtakenBy) await this.hearAll();
      return ack.data;
    };
    await replica.catchUp(call, limit, part);
    await this.fetchMembers();
  }

  /** Hears all that is published, syncs if there was a gap, and fetches members that it doesn't hold. */
  async settle(): Promise<void> {
    await this.hearAll();
    while (this.hasGap) await this.sync();
    await this.fetchMembers();
  }

  /** The ack comes after the events that were published before the command. */
  private async hearAll(): Promise<void> {
    await this.device.raw('typing', { chat_id: 1, is_typing: false });
  }

  private async fetchMembers(): Promise<void> {
    const { replica } = this;
    for (const [id, { members }] of replica.chats) {
      let answer;
      do answer = members ? undefined : await this.user.get<ChatWithMembers>(`/chats/${id}`);
      while (answer?.status === 200 && !replica.takeMembers(answer.body));
    }
  }
}
