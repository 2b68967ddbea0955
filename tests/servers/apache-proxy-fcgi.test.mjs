import { Apache } from './lib/apache.mjs';
import { SUITE_CONFIG, apiSuite } from './lib/api-suite.mjs';
import { callSuite } from './lib/call-suite.mjs';

const holders = (server) => server.workers.pids();
const start = () => Apache.start({ recipe: 'apache-proxy-fcgi', config: SUITE_CONFIG });

apiSuite('Apache with mod_proxy_fcgi', start, { mode: 'fastcgi', polls: 'parked', holders });
callSuite('Apache with mod_proxy_fcgi', start);
