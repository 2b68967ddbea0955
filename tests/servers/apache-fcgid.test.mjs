import { Apache } from './lib/apache.mjs';
import { SUITE_CONFIG, apiSuite } from './lib/api-suite.mjs';
import { callSuite } from './lib/call-suite.mjs';

const holders = (server) => server.klatchProcesses();
const start = () => Apache.start({ recipe: 'apache-fcgid', config: SUITE_CONFIG });

apiSuite('Apache with mod_fcgid', start, { mode: 'fastcgi', polls: 'process', holders });
callSuite('Apache with mod_fcgid', start);
