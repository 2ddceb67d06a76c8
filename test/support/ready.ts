import { request } from './http.js';

/** Requests /health/ready until the node is ready, or isn't. Returns the milliseconds that took. */
export async function untilReady(url: string, isReady = true): Promise<number> {
  const start = performance.now();
  while (((await request(url, 'GET', '/health/ready')).status === 200) !== isReady) await new Promise(setImmediate);
  return performance.now() - start;
}

/** Sends a request until it is answered with 200. Returns how long that took, in milliseconds. */
export async function untilServed(send: () => Promise<{ status: number }>): Promise<number> {
  const start = performance.now();
  while ((await send()).status !== 200);
  return performance.now() - start;
}
