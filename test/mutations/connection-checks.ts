import type { Check } from './check.js';

const CONNECTION = 'src/realtime/connections/bounded-connection.ts';
const SERVICE = 'src/realtime/connections/connection-bounds.service.ts';
const ADDRESSES = 'src/realtime/connections/address.registry.ts';
const TOTALS = 'src/realtime/connections/backlog-totals.ts';
const ADMISSION = 'src/realtime/connections/admission.service.ts';
const HANDSHAKE = 'src/realtime/connections/handshake.service.ts';
const DECODER = 'src/realtime/connections/bounded-decoder.ts';
const OVERSIZED = ['test/oversized-commands'];
const BOUNDS = ['test/connection-bounds', 'test/address-bounds'];

// What one connection, session and address may open and send.

export const connectionChecks: readonly Check[] = [
  {
    name: 'a connection sends a bounded number of packets',
    file: CONNECTION,
    cut: 'this.packets > this.bounds.maxPackets || ',
    red: BOUNDS,
  },
  {
    name: 'an address sends a bounded number of packets',
    file: CONNECTION,
    cut: ' || !this.bounds.countPackets(weight)',
    red: BOUNDS,
  },
  {
    name: 'a large packet counts as several',
    file: CONNECTION,
    cut: '1 + Math.floor(bytes / COUNTED_BYTES)',
    put: '1',
    red: BOUNDS,
  },
  {
    name: 'an event that is no command counts for ten packets',
    file: CONNECTION,
    cut: 'this.add(UNKNOWN_WEIGHT - 1);',
    red: BOUNDS,
  },
  {
    name: 'packets in a polling body count',
    file: CONNECTION,
    cut: 'this.countBody(body);',
    red: BOUNDS,
  },
  { name: 'pings of a WebSocket count', file: CONNECTION, cut: ".on('ping', () => this.count(0))", red: BOUNDS },
  { name: 'pongs of a WebSocket count', file: CONNECTION, cut: ".on('pong', () => this.count(0))", red: BOUNDS },
  {
    name: 'the WebSocket counts to which polling changes',
    file: CONNECTION,
    cut: 'this.watch(transport);',
    red: BOUNDS,
  },
  {
    name: 'a message has a bounded number of fragments over plain WebSocket',
    file: 'src/realtime/plain/plain-websocket.server.ts',
    cut: 'maxFragments: MAX_FRAGMENTS,',
    red: BOUNDS,
  },
  {
    name: 'a message has a bounded number of fragments over Socket.IO',
    file: 'src/realtime/connections/socket.adapter.ts',
    cut: 'wsEngine: BoundedWebSocketServer,',
    red: BOUNDS,
  },
  {
    name: 'packets in a polling body count by their bytes',
    file: CONNECTION,
    cut: 'Buffer.byteLength(body.slice(start, end))',
    put: 'end - start',
    red: BOUNDS,
  },
  {
    name: 'a command that is too large is refused',
    file: 'src/realtime/commands/command-dispatcher.ts',
    cut: 'if (args[0] === TOO_LARGE) return ack(OVERSIZED);',
    red: OVERSIZED,
  },
  {
    name: 'a packet of Socket.IO that is too large is not parsed',
    file: DECODER,
    cut: '1 + Buffer.byteLength(text) <= MAX_COMMAND_BYTES',
    put: '1 + text.length <= MAX_COMMAND_BYTES',
    red: OVERSIZED,
  },
  {
    name: "an event that is too large has no name of Socket.IO's own",
    file: DECODER,
    cut: "if (!isPacketValid(packet)) throw new Error('too large');",
    put: 'void isPacketValid;',
    red: OVERSIZED,
  },
  {
    name: 'an attachment that is too large is dropped',
    file: DECODER,
    cut: 'data.length > MAX_COMMAND_BYTES ? NO_BYTES : data',
    put: 'NO_BYTES.length > 0 ? NO_BYTES : data',
    red: ['src/realtime/connections/bounded-decoder'],
  },
  {
    name: 'a plain frame that is too large is refused',
    file: 'src/realtime/plain/plain-transport.ts',
    cut: 'data.length > MAX_COMMAND_BYTES',
    put: 'data.toString().length > MAX_COMMAND_BYTES',
    red: OVERSIZED,
  },
  {
    name: 'a connection has one CONNECT',
    file: CONNECTION,
    cut: "if (this.hasConnect) return this.cut('second_connect');",
    red: BOUNDS,
  },
  {
    name: 'a CONNECT of another namespace ends the connection',
    file: CONNECTION,
    cut: 'if (isForeignNamespace(packet)) setImmediate(() => this.leave());',
    red: BOUNDS,
  },
  {
    name: 'a refused CONNECT ends the connection',
    file: HANDSHAKE,
    cut: 'this.bounds.refused(socket);',
    red: BOUNDS,
  },
  {
    name: 'a connection ends with its socket',
    file: SERVICE,
    cut: "if (socket.connected) socket.once('disconnect', () => bounded.leave());",
    put: 'if (socket.connected) return;',
    red: BOUNDS,
  },
  {
    name: 'a leaving connection is cut when nobody polls',
    file: CONNECTION,
    cut: 'this.connection.close();\n    this.startTimer();',
    put: 'this.connection.close();',
    red: BOUNDS,
  },
  {
    name: 'a connection that does not join is cut',
    file: CONNECTION,
    cut: '  ) {\n    this.startTimer();',
    put: '  ) {',
    red: BOUNDS,
  },
  {
    name: 'a session has a bounded number of sockets',
    file: HANDSHAKE,
    cut: "this.requireRoom(socket, session, MAX_SESSION_SOCKETS, 'A session');",
    red: BOUNDS,
  },
  ...['connections', 'pending', 'handshakes', 'packets'].map((count) => ({
    name: `a handshake is refused beyond the ${count} of its address`,
    file: ADDRESSES,
    cut: 'COUNTS.find(',
    put: `COUNTS.filter((count) => count !== '${count}').find(`,
    red: BOUNDS,
  })),
  {
    name: 'a connection that is cut counts as several handshakes',
    file: SERVICE,
    cut: 'this.addresses.cut(key);',
    red: BOUNDS,
  },
  {
    name: 'the refusal of a handshake is held back',
    file: ADMISSION,
    cut: "refusal.code !== 'rate_limited' || ",
    put: "refusal.code === 'rate_limited' || ",
    red: ['test/address-bounds'],
  },
  {
    name: 'a bounded number of refusals is held back',
    file: ADMISSION,
    cut: ' || this.delayed >= maxPending',
    red: ['test/address-bounds'],
  },
  {
    name: 'an IPv6 network counts as one address',
    file: ADDRESSES,
    cut: 'const network = networkOf(address);',
    put: 'const network = [address, networkOf(address)][0]!;',
    red: BOUNDS,
  },
  {
    name: 'what waits for the clients of one user has a bound',
    file: TOTALS,
    cut: 'if (userId !== undefined && this.users.get(userId)! > this.bound.userBytes) this.cutLargest(userId);',
    red: ['test/slow-consumers'],
  },
  {
    name: 'what waits for the clients of a node has a bound',
    file: TOTALS,
    cut: 'if (this.total > this.bound.nodeBytes) this.cutLargest();',
    red: ['test/slow-consumers'],
  },
  {
    name: 'the bounds of an address hold for all nodes',
    file: ADDRESSES,
    cut: "if (isBusy) this.bus.send('addressLoads', { node: this.node, address, ...load });",
    put: 'void isBusy;',
    red: ['test/nodes-redis'],
  },
];
