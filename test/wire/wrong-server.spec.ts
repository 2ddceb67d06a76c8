import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { io } from 'socket.io-client';
import { ServerProcess } from '../support/server-process.js';

const PATHS = ['/health/live', '/health/ready', '/auth/me', '/users', '/users/1', '/chats/1', '/chats/1/topics', '/x'];

/** Has the server send and accept all that is wrong with it. */
async function useAll(url: string): Promise<void> {
  for (const path of PATHS) await (await fetch(url + path)).text();
  const socket = io(url, { forceNew: true });
  await socket.emitWithAck('typing', { chat_id: 1 });
  await socket.emitWithAck('message:read', { message_id: 1 });
  await socket.emitWithAck('sync', { cursors: {} });
  socket.close();
}

/** The faults in the log of a process. */
async function faultsIn(log: string): Promise<string[]> {
  const [file] = await readdir(log);
  const notes = (await readFile(join(log, file!), 'utf8')).trim().split('\n');
  return notes.map((line) => JSON.parse(line)).flatMap(([kind, text]) => (kind === 'fault' ? [text] : []));
}

describe('the checks of the wire', () => {
  let log: string;
  let faults: string[];

  beforeAll(async () => {
    log = await mkdtemp(join(tmpdir(), 'windi-wrong-'));
    const server = ServerProcess.start('.', { WIRE_LOG: log }, resolve('test/wire/wrong-server.js'));
    await useAll(await server.url());
    await server.stop('SIGTERM');
    faults = await faultsIn(log);
  });
  afterAll(async () => {
    await ServerProcess.stopAll();
    await rm(log, { recursive: true });
  });

  it.each([
    ['an unknown field', /^GET \/health\/live answers 200: .* must NOT have additional properties .*"more"/],
    ['another content type', /^GET \/health\/ready answers 200 as "text\/plain"/],
    ['an unknown status', /^GET \/auth\/me answers 404, user_not_found, which/],
    ['another content type of an error', /^GET \/users answers 415, unsupported_media_type, which/],
    ['an unknown code', /^GET \/users\/\{id\} answers chat_not_found, which/],
    ['an unknown route', /^GET \/chats\/\{id\}\/topics is not in the OpenAPI/],
    ['an unknown code where no route is', /^GET of no route answers 404, chat_not_found, which/],
    ['a body of another form', /^GET \/chats\/\{id\} answers 404: .* must be object/],
    ['an answer that breaks a check', /^the answer to GET \/chats\/:id could not be compared: TypeError/],
    ['an unknown field of an event', /^the message event\.chat\.removed: .* must NOT have additional properties/],
    ['an unknown event', /^the message event\.chat\.pinned is not in the AsyncAPI/],
    ['a command that lacks a field', /^the message command\.typing: .* must have required property 'is_typing'/],
    ['an unknown code of a command', /^the error blocked is not among those of message:read/],
    ['an ack of another form', /^the message ack\.sync: .* must have required property/],
    ['an ack that breaks a check', /^what sendPacket gets could not be compared: TypeError/],
  ])('find %s', (_, fault) => {
    expect(faults).toContainEqual(expect.stringMatching(fault));
  });
});
