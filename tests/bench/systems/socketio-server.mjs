// socket.io's server as its guide writes it: rooms, and a signal handed on to one socket.
import http from 'node:http';
import { createRequire } from 'node:module';

const [port, transport, packages] = process.argv.slice(2);
const { Server } = createRequire(`${packages}/package.json`)('socket.io');
const server = http.createServer();
const io = new Server(server, { transports: [transport], cors: { origin: '*' } });

io.on('connection', (socket) => {
  socket.on('join', ({ room, name }) => {
    socket.join(room);
    socket.to(room).emit('peer-joined', { id: socket.id, name });
  });
  socket.on('signal', ({ to, type, data }) => {
    io.to(to).emit('signal', { from: socket.id, type, data });
  });
});
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
