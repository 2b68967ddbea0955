// PeerServer in an Express application, as its guide shows, on a server whose listen queue holds
// as many as the bench brings at once.
import http from 'node:http';
import { createRequire } from 'node:module';

const [port, packages] = process.argv.slice(2);
const require = createRequire(`${packages}/package.json`);
const express = require('express');
const { ExpressPeerServer } = require('peer');

const app = express();
const server = http.createServer(app);
app.use('/', ExpressPeerServer(server, { path: '/', key: 'peerjs', concurrent_limit: 50000 }));
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
