import { Apache } from './lib/apache.mjs';
import { SUITE_CONFIG, apiSuite } from './lib/api-suite.mjs';
import { callSuite } from './lib/call-suite.mjs';

const holders = (server) => server.klatchProcesses();
const start = () => Apache.start({ recipe: 'apache-cgid', config: SUITE_CONFIG });

apiSuite('Apache with mod_cgid', start, { mode: 'cgi', polls: 'process', holders });
callSuite('Apache with mod_cgid', start);
