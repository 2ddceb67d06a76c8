// npm run bench -w clients/typescript -- [--rounds 7]: measures the built package, in Chromium and in Node.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { SeededServer } from './server.js';

const CHATS = 200;
const NEWEST = 20;
const STORE = { chats: 1_000, messages: 100 };
const EVENTS = 1_000;
const LIVE_BOUNDS = { applied: 50, 'applied and shown': 50 };

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' } } });
const rounds = Number(values.rounds);

/** A script with all that it imports. */
async function bundle(name, options = {}) {
  const { outputFiles } = await build({
    entryPoints: [`clients/typescript/bench/${name}.js`],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    ...options,
  });
  return outputFiles[0].text;
}

const LOCAL = { alias: { 'socket.io-client': './clients/typescript/bench/local-socket.js' } };

/** Opens pages with one of the scripts, each in a profile of its own. */
class Pages {
  constructor(browser, scripts) {
    Object.assign(this, { browser, scripts });
    this.server = createServer(({ url }, response) => {
      const name = url.slice(1);
      const script = this.scripts[name.replace(/\.js$/, '')];
      response.setHeader('Content-Type', name.endsWith('.js') ? 'text/javascript' : 'text/html');
      response.end(name.endsWith('.js') ? script : `<!doctype html><script type="module" src="/${name}.js"></script>`);
    });
  }

  static async open(scripts) {
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
    const pages = new Pages(await chromium.launch({ executablePath, chromiumSandbox: false }), scripts);
    await once(pages.server.listen(0, '127.0.0.1'), 'listening');
    return pages;
  }

  async measure(name, plan) {
    const context = await this.browser.newContext();
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${this.server.address().port}/${name}`);
    const result = await page.evaluate((one) => globalThis.measure(one), plan);
    await context.close();
    return result;
  }

  async close() {
    await this.browser.close();
    this.server.close();
    this.server.closeAllConnections();
  }
}

const ms = (value) => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en').replace(',', ' '));

function print(what, all, bound) {
  const sorted = [...all].sort((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)];
  const range = `(${ms(sorted[0])}–${ms(sorted.at(-1))})`;
  const verdict = bound === undefined ? '' : `below ${ms(bound)}: ${median < bound ? 'met' : 'MISSED'}`;
  console.log(`${what.padEnd(62)}${ms(median).padStart(7)} ms  ${range.padEnd(16)}${verdict}`.trimEnd());
}

function printAll(what, results, bounds) {
  for (const name of Object.keys(results[0])) {
    print(
      `${what}, ${name}`,
      results.map((result) => result[name]),
      bounds[name],
    );
  }
}

const scripts = { 'first-sync': await bundle('first-sync'), 'live-messages': await bundle('live-messages', LOCAL) };
const server = await SeededServer.start(CHATS, NEWEST);
const pages = await Pages.open(scripts);
try {
  const version = `Chromium ${pages.browser.version()}`;
  console.log(`${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.version.slice(1)}, ${version}`);
  console.log(`The median of ${rounds} rounds, with the least and the greatest.\n`);
  const firstSyncs = [];
  for (let round = 0; round < rounds; round += 1) {
    const session = await server.session();
    firstSyncs.push(await pages.measure('first-sync', { url: server.url, session, chats: CHATS, messages: NEWEST }));
  }
  printAll(`First sync of ${CHATS} chats with ${NEWEST} messages, Chromium`, firstSyncs, { stored: 1_000 });
  const plan = { ...STORE, events: EVENTS, rounds };
  const what = `${EVENTS} live messages, ${STORE.chats * STORE.messages} held`;
  printAll(`${what}, Chromium`, await pages.measure('live-messages', plan), LIVE_BOUNDS);
  const code = `${scripts['live-messages']}\nconsole.log(JSON.stringify(await measure(${JSON.stringify(plan)})));`;
  const inNode = execFileSync(process.execPath, ['--input-type=module', '-'], { input: code, encoding: 'utf8' });
  printAll(`${what}, Node`, JSON.parse(inNode), LIVE_BOUNDS);
} finally {
  await pages.close();
  await server.stop();
}
