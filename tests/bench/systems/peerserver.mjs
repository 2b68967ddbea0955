// PeerServer as its guide starts it, with room for as many as the bench brings.
import { createRequire } from 'node:module';

const [port, packages] = process.argv.slice(2);
const { PeerServer } = createRequire(`${packages}/package.json`)('peer');

PeerServer({ port: Number(port), host: '127.0.0.1', path: '/', key: 'peerjs', concurrent_limit: 50000 });
