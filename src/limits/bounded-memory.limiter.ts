import { RateLimiterMemory, type IRateLimiterOptions } from 'rate-limiter-flexible';

/** The most keys of one counter; 100,000 take some 30 MB. */
const MAX_KEYS = 100_000;

/** What the library's counter keeps for each key, in the order in which the windows began. */
interface Storage {
  readonly _storage: ReadonlyMap<string, unknown>;
  delete(key: string): boolean;
}

/**
 * A counter in memory whose keys are bounded. The library keeps each key until its window ends, however many a client
 * makes up, such as one for each network of a large IPv6 block. Beyond the bound the oldest window is forgotten: nobody
 * is refused for what others do.
 */
export class BoundedMemoryLimiter extends RateLimiterMemory {
  declare private readonly _memoryStorage: Storage;

  constructor(
    options: IRateLimiterOptions,
    private readonly maxKeys = MAX_KEYS,
  ) {
    super(options);
  }

  /** The library asks for the key whenever it counts; so this is where there must be room for it. */
  override getKey(key: string | number): string {
    const full = super.getKey(key);
    const { _storage: windows } = this._memoryStorage;
    if (windows.size >= this.maxKeys && !windows.has(full)) this._memoryStorage.delete(windows.keys().next().value!);
    return full;
  }
}
