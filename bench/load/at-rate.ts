const TICK_MS = 2;

/**
 * Calls `act` so many times a second, however late the timer is, and `afterwards` once behind each few of them. Returns a
 * function that ends it.
 */
export function atRate(rate: number, act: () => void, afterwards = (): void => undefined): () => void {
  const start = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - start) * rate) / 1_000;
    for (; done < due; done += 1) act();
    afterwards();
  }, TICK_MS);
  return () => clearInterval(timer);
}
