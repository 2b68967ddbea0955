// A shared host's Apache, which runs each customer's programs as that customer.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, it as test } from 'node:test';
import { newRoom } from '../integration/lib/api.mjs';
import { Member } from '../integration/lib/member.mjs';
import { SUITE_CONFIG, apiSuite } from './lib/api-suite.mjs';
import { callSuite } from './lib/call-suite.mjs';
import { noHostUsers, startHost } from './lib/host-user.mjs';

const skip = noHostUsers();
const holders = (server) => server.klatchProcesses();

if (skip) {
  test("a user's own site by suexec, extracted in the home and uploaded by FTP alone", { skip }, () => {});
} else {
  const start = () => startHost({ config: SUITE_CONFIG });
  // mod_fcgid's own FcgidMaxRequestLen, which hosts leave as it is.
  apiSuite("a user's own site by suexec", start, { mode: 'fastcgi', polls: 'process', holders, bodyMax: 131072 });
  callSuite("a user's own site by suexec", start);

  for (const kind of ['home', 'ftp']) {
    describe(`a first visit, ${kind === 'home' ? 'the zip extracted in the home' : 'only the web folder uploaded'}`, () => {
      let server;
      before(async () => { server = await startHost({ kind, config: null }); });
      after(() => server?.stop());

      test('runs as the user, and keeps what it writes to itself', async () => {
        const { status, json } = await server.api().get('/v1/health');
        assert.deepEqual([status, json.status], [200, 'ok']);
        const uid = fs.statSync(server.user.home).uid;
        const pids = server.klatchProcesses();
        assert.ok(pids.length > 0);
        for (const pid of pids) assert.equal(fs.statSync(`/proc/${pid}`).uid, uid);
        const data = fs.statSync(server.dataFolder);
        assert.deepEqual([data.uid, data.mode & 0o777], [uid, 0o700]);
        // All entry points have found the same folder.
        const ada = await Member.join(server.api(), newRoom());
        const bob = await Member.join(server.api('/cgi-bin/klatch.cgi'), ada.room);
        assert.deepEqual(bob.others.map(({ peer }) => peer), [ada.peer]);
        assert.equal((await ada.via(server.pollApi()).event('peer-joined', bob.peer)).data.peer, bob.peer);
      });
    });
  }
}
