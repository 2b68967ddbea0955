// Plain CGI under lighttpd: Klatch's static binary, which is what hosts get, beside an empty static
// program, on one server.
import fs from 'node:fs';
import path from 'node:path';
import { BINARY, OUT } from '../lib/paths.mjs';
import { family, freePort, freshDir, listening, start, stop } from '../lib/processes.mjs';

const LIGHTTPD = '/usr/sbin/lighttpd';

export const cgi = {
  name: 'cgi',
  label: 'plain CGI under lighttpd',
  protocol: 'rendezvous',
  missing: () => (fs.existsSync(LIGHTTPD) ? null : 'lighttpd'),
  start: async () => {
    const dir = freshDir('cgi');
    const log = path.join(dir, 'log');
    const port = await freePort();
    fs.mkdirSync(path.join(dir, 'www'));
    fs.copyFileSync(BINARY, path.join(dir, 'www/klatch.cgi'));
    fs.copyFileSync(path.join(OUT, 'empty-cgi'), path.join(dir, 'www/empty.cgi'));
    fs.writeFileSync(path.join(dir, 'klatch.conf'), `data_dir = ${dir}/data\njoins_per_minute = 0\nice_server = none\n`);
    fs.writeFileSync(path.join(dir, 'lighttpd.conf'), `server.modules = ( "mod_cgi" )
server.document-root = "${dir}/www"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${log}"
server.upload-dirs = ( "${dir}" )
server.max-keep-alive-requests = 100000
cgi.assign = ( ".cgi" => "" )
`);
    const child = start(LIGHTTPD, ['-D', '-f', path.join(dir, 'lighttpd.conf')], { log });
    await listening(child, port, log);
    return { port, dir, pids: () => family(child.pid), fronts: () => [], stop: () => stop(child) };
  },
};
