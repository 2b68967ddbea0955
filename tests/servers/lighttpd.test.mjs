import { SUITE_CONFIG, apiSuite } from './lib/api-suite.mjs';
import { callSuite } from './lib/call-suite.mjs';
import { Lighttpd } from './lib/lighttpd.mjs';

const holders = (server) => server.klatchProcesses();
for (const [how, mode, polls] of [['fastcgi', 'fastcgi', 'parked'], ['cgi', 'cgi', 'process']]) {
  const start = () => Lighttpd.start({ how, config: SUITE_CONFIG });
  apiSuite(`lighttpd with mod_${how}`, start, { mode, polls, holders });
  callSuite(`lighttpd with mod_${how}`, start);
}
