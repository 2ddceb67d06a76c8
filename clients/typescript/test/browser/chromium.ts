import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { type Browser, type BrowserContext, type CDPSession, chromium, type Frame, type Page } from 'playwright-core';
import { describeWith } from '../../../../test/support/describe-with.js';
import type { PageClient } from './page.js';

const FOUND = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const EXECUTABLE = process.env.CHROMIUM ?? FOUND ?? 'chromium';

export const describeWithChromium = describeWith(
  existsSync(EXECUTABLE),
  'Chromium or Chrome, in /usr/bin or where CHROMIUM says (Debian: chromium)',
);

// The tabs of a site have a process each: one of them can be killed alone.
const ARGS = ['--no-sandbox', '--disable-features=ProcessPerSiteUpToMainFrameThreshold'];

/** Starts a browser, whose profiles are forgotten when they are closed. */
export const launch = (): Promise<Browser> => chromium.launch({ executablePath: EXECUTABLE, args: ARGS });

/** A browser with its profile in a folder, which outlives it. Unlike in the other one, a tab in the background is hidden. */
export class OwnChromium {
  private constructor(
    private readonly child: ChildProcess,
    readonly context: BrowserContext,
  ) {}

  static async start(folder: string): Promise<OwnChromium> {
    const args = [
      ...ARGS,
      '--headless=new',
      '--no-first-run',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
    ];
    const child = spawn(EXECUTABLE, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    const end = (): boolean => process.kill(-child.pid!, 'SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    const browser = await chromium.connectOverCDP(await addressIn(child.stderr), { noDefaults: true });
    return new OwnChromium(child, browser.contexts()[0]!);
  }

  /** Ends all processes of the browser at once. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    process.kill(-this.child.pid!, 'SIGKILL');
    await ended;
  }
}

async function addressIn(output: Readable): Promise<string> {
  let printed = '';
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    printed += String(chunk);
    const match = /DevTools listening on (ws:\S+)/.exec(printed);
    if (!match) continue;
    output.resume();
    return match[1]!;
  }
  throw new Error(`Chromium has not started:\n${printed}`);
}

/** A real tab with a client in it. */
export class ChromiumTab {
  private constructor(
    readonly page: Page,
    private readonly frame: Frame,
    readonly cdp: CDPSession,
  ) {}

  static async open(context: BrowserContext, url: string): Promise<ChromiumTab> {
    const page = await context.newPage();
    await page.goto(url);
    return new ChromiumTab(page, page.frames().at(-1)!, await context.newCDPSession(page));
  }

  /** Calls the client in the page. Rejects when the page ends meanwhile. */
  do<K extends keyof PageClient>(
    name: K,
    ...args: Parameters<PageClient[K]>
  ): Promise<Awaited<ReturnType<PageClient[K]>>> {
    return this.frame.evaluate(([name, args]) => (globalThis as any).page[name](...args), [name, args] as const);
  }

  /** Kills the process of the page. Resolves when it has ended. */
  async crash(): Promise<void> {
    const crashed = this.page.waitForEvent('crash');
    this.cdp.send('Page.crash').catch(() => undefined);
    await crashed;
    await this.page.close();
  }
}
