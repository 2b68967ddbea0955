import { SUITE_CONFIG, apiSuite } from './lib/api-suite.mjs';
import { callSuite } from './lib/call-suite.mjs';
import { Nginx } from './lib/nginx.mjs';

const holders = (server) => server.workers.pids();
const start = () => Nginx.start({ config: SUITE_CONFIG });

apiSuite('nginx', start, { mode: 'fastcgi', polls: 'parked', holders });
callSuite('nginx', start);
