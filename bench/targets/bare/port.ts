import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

// A bare port: it accepts HTTP requests and WebSockets, answers a handshake and the first packet as Socket.IO would, and
// does nothing with all the rest. A flood sent here instead of to the application costs the machine what any flood costs.

const server = createServer((request, response) => {
  request.resume().once('end', () => response.end('0{"sid":"none"}'));
});
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', () => undefined).once('message', () => socket.send('40{"sid":"none"}'));
  socket.send('0{"sid":"none"}');
});
server.listen(0, '127.0.0.1', () => {
  console.log(`The bare port is at http://localhost:${(server.address() as AddressInfo).port}`);
});
