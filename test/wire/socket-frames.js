import { readFileSync } from 'node:fs';
import { Socket } from 'engine.io';
import { JsonSchemas } from './json-schemas.js';
import { guard, note } from './wire-log.js';

/** Compares what sockets send and accept with the AsyncAPI document: Socket.IO's packets and the plain frames. */

const document = JSON.parse(readFileSync(new URL('../../asyncapi.json', import.meta.url), 'utf8'));
const schemas = new JsonSchemas(document);
const { messages } = document.components;
const keyOf = (name) => name.replaceAll(':', '.');

/** The types of Socket.IO's packets, revision 5 of its protocol. */
const [CONNECT, EVENT, ACK, CONNECT_ERROR] = ['0', '2', '3', '4'];
const PONG = '{"type":"pong"}';

/** From now on, compares all packets of Engine.IO's connections and all frames of these classes' objects. */
export function checkSockets({ PlainTransport, PlainTranslator }) {
  checkPackets(Socket.prototype);
  checkFrames(PlainTransport.prototype, PlainTranslator.prototype);
}

/** Notes that a message was seen, and what is wrong with it. */
function check(key, value) {
  if (!messages[key]) return note('fault', `the message ${key} is not in the AsyncAPI`);
  note('seen', `message ${key}`);
  const pointer = `/components/messages/${key}/payload`;
  for (const field of schemas.fieldsOf(pointer, value)) note('seen', `socket field ${field}`);
  const fault = schemas.faultOf(pointer, value);
  if (fault) note('fault', `the message ${key}: ${fault}`);
}

/** Calls `look` with the arguments of each call of a method, before the method itself. */
function before(prototype, method, look) {
  const original = prototype[method];
  prototype[method] = function (...args) {
    guard(`what ${method} gets`, () => look(this, ...args));
    return original.apply(this, args);
  };
}

/** Splits `2<id>["event",…]` and the like. */
function split(packet) {
  const start = packet.search(/[[{]/);
  return { type: packet[0], id: packet.slice(1, start), body: JSON.parse(packet.slice(start)) };
}

function checkPackets(connection) {
  /** The commands without an ack, by the ids of their packets, for each connection. */
  const commands = new WeakMap();
  /** The last `auth` of each connection. */
  const auths = new WeakMap();
  const keep = (socket, id, body) => {
    if (!commands.has(socket)) commands.set(socket, new Map());
    // Of two commands with one id nobody can tell which an ack answers.
    commands.get(socket).set(id, commands.get(socket).has(id) ? [] : body);
  };
  let last;
  before(connection, 'sendPacket', (socket, type, data) => {
    if (type !== 'message' || typeof data !== 'string' || data === last || !/^[0234]/.test(data)) return;
    const packet = split(data);
    if (packet.type === ACK) return checkAck(commands.get(socket), packet);
    if (packet.type === CONNECT) return check('connect', auths.get(socket) ?? {});
    last = data; // The same event goes to many devices.
    if (packet.type === EVENT) check(`event.${keyOf(packet.body[0])}`, packet.body[1]);
    if (packet.type === CONNECT_ERROR) check('connect_error', packet.body);
  });
  before(connection, 'onPacket', (socket, { type, data }) => {
    if (type !== 'message') return;
    // A plain frame is a packet that nobody has to decode.
    if (typeof data === 'object' && data.id !== undefined) keep(socket, String(data.id), data.data);
    if (typeof data !== 'string' || !/^(0\{|2\d+\[)/.test(data)) return;
    let packet;
    try {
      packet = split(data);
    } catch {
      return; // The server refuses it, too.
    }
    if (packet.type === CONNECT) return auths.set(socket, packet.body);
    keep(socket, packet.id, packet.body);
  });
}

function checkAck(commands, { id, body }) {
  const [command, payload] = commands?.get(id) ?? [];
  const [ack] = body;
  commands?.delete(id);
  const key = `ack.${keyOf(String(command))}`;
  // A command of an unknown name is answered, too.
  if (!messages[key]) return;
  check(key, ack);
  if (ack.ok) return check(`command.${keyOf(command)}`, payload);
  const { code } = ack.error;
  note('seen', `${command} ${code}`);
  note('seen', `socket code ${code}`);
  if (!messages[key]['x-errors'].includes(code)) note('fault', `the error ${code} is not among those of ${command}`);
}

function checkFrames(transport, translator) {
  /** The frames without an answer, by the ids of their packets, for each translator. */
  const waiting = new WeakMap();
  const { framesOf } = transport;
  transport.framesOf = function (packets) {
    const frames = framesOf.call(this, packets);
    for (const frame of frames) guard('a frame', () => checkFrame(JSON.parse(frame)));
    return frames;
  };
  const { fromClient } = translator;
  translator.fromClient = function (text) {
    const result = fromClient.call(this, text);
    if (result.answer === PONG) guard('a ping', () => checkAccepted(JSON.parse(text), true));
    if (!('packet' in result)) return result;
    if (!waiting.has(this)) waiting.set(this, new Map());
    waiting.get(this).set(String(result.packet.id), text);
    return result;
  };
  before(translator, 'toClient', (own, packet) => {
    if (packet[0] !== ACK) return;
    const { id, body } = split(packet);
    const text = waiting.get(own)?.get(id);
    waiting.get(own)?.delete(id);
    if (text !== undefined && body[0].ok) checkAccepted(JSON.parse(text), own.chatId === undefined);
  });
}

/** A frame of the server: a message has no type, and that of a receipt is its own. */
function checkFrame(frame) {
  const { type = 'message:created' } = frame;
  const answer = `plain.answer.${keyOf(type)}`;
  check(messages[answer] ? answer : `plain.event.${keyOf(type)}`, frame);
}

function checkAccepted(frame, isAboutAll) {
  const { type = 'message' } = frame;
  check(`plain.${isAboutAll ? '' : 'chat.'}command.${keyOf(type)}`, frame);
}
