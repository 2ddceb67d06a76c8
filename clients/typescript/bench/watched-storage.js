/** A storage that tells of the writes: how much has been written, and when nothing is under way. */
export class WatchedStorage {
  chats = new Set();
  messages = new Set();
  underWay = 0;

  constructor(real) {
    this.isPersistent = real.isPersistent;
    this.session = real.session;
    this.real = real;
  }

  async open(userId) {
    const database = await this.real.open(userId);
    const write = (changes) => this.note(changes, database.write(changes));
    return new globalThis.Proxy(database, {
      get(target, name) {
        if (name === 'write') return write;
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** Resolves when so many chats and messages have been written. */
  async untilWritten(chats, messages) {
    while (this.chats.size < chats || this.messages.size < messages) await nextTask();
  }

  /** Resolves when nothing is written any more. */
  async untilIdle() {
    for (let idle = 0; idle < 10; idle = this.underWay === 0 ? idle + 1 : 0) await nextTask();
  }

  async note(changes, done) {
    this.underWay += 1;
    await done.finally(() => (this.underWay -= 1));
    for (const { id } of changes.chats) this.chats.add(id);
    for (const { id } of changes.messages) this.messages.add(id);
  }
}

/** Resolves when the client has all that the server has. */
export async function synced(client) {
  while (client.status.get().sync !== 'synced') await nextTask();
}

/** Resolves after what else is to be done. */
const nextTask = () => new Promise((resolve) => globalThis.setTimeout(resolve, 1));
