// Where an upload keeps its settings and its data, and where it sends polls, on a real Apache.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { Apache } from '../servers/lib/apache.mjs';
import { Api, expectStatus, newId, newRoom } from './lib/api.mjs';
import { it } from './lib/it.mjs';
import { Member, dataOf } from './lib/member.mjs';
import { httpSend } from './lib/stack.mjs';
import { stillOpen } from './lib/until.mjs';

const names = (folder) => fs.readdirSync(folder).sort();
const own = (folder) => names(folder).filter((name) => /^\.ht-klatch-[0-9a-f]{32}$/.test(name));
const get = (server, where) => httpSend(server.port, '')({ method: 'GET', path: where, headers: {} });

describe('an upload that nobody configured, on Apache with mod_fcgid', { concurrency: 2 }, () => {
  for (const [kind, title] of Object.entries({
    home: 'in the account\'s home, keeps everything in klatch-private',
    ftp: 'into the web folder alone, keeps everything under a name that nobody can guess',
  })) {
    it(`${title}, for all its entry points`, async () => {
      const server = await Apache.start({ kind, config: null, modules: ['cgid'] });
      try {
        const room = newRoom();
        for (const entry of ['/cgi-bin/klatch.fcgi', '/cgi-bin/klatch-poll.fcgi', '/cgi-bin/klatch.cgi']) {
          expectStatus(await server.api(entry).room(room, 'join', { id: newId() }), 201);
        }
        assert.equal(expectStatus(await server.api().get(`/v1/rooms/${room}`), 200).json.peers, 3);
        const { cgiBin, private: private_ } = server.site;
        assert.equal(own(cgiBin).length, kind === 'ftp' ? 1 : 0);
        assert.equal(fs.existsSync(path.join(private_, 'data/admin-key.txt')), kind === 'home');
        for (const name of kind === 'ftp' ? [...own(cgiBin), '.ht-klatch'] : []) {
          for (const below of ['', '/data/admin-key.txt', '/klatch.conf']) {
            const answer = await get(server, `/cgi-bin/${name}${below}`);
            assert.ok([403, 404].includes(answer.status), `${name}${below}: ${answer.status}`);
          }
        }
      } finally {
        await server.stop();
      }
    });
  }
});

describe('the entry point for polls', { concurrency: 2 }, () => {
  let server;
  before(async () => {
    server = await Apache.start({
      subFolder: true,
      modules: ['cgid', 'rewrite'],
      extra: 'RewriteEngine On\nRewriteRule "^/short/(.*)$" "/klatch/cgi-bin/klatch.fcgi/$1" [PT]',
      inSite: 'Options ExecCGI SymLinksIfOwnerMatch\nRewriteEngine On\nRewriteRule "^api/(.*)$" "cgi-bin/klatch.fcgi/$1"',
    });
  });
  after(() => server?.stop());
  const at = (base) => new Api(httpSend(server.port, base, new http.Agent({ keepAlive: true })));

  for (const base of ['/klatch/cgi-bin/klatch.fcgi', '/short', '/klatch/api']) {
    it(`is named by join at ${base}, and polls through it have a process of their own`, async () => {
      const ada = await Member.join(at(base), newRoom());
      const bob = await Member.join(at(base), ada.room);
      const { url } = bob.joined.poll;
      assert.ok(url, 'join names it');
      const there = new URL(url, `${server.origin}${base}/v1/`);
      assert.equal(there.href, `${server.origin}/klatch/cgi-bin/klatch-poll.fcgi`);
      await bob.read();
      const poll = bob.via(at(there.pathname)).poll(2000);
      assert.ok(await stillOpen(150, poll));
      assert.ok(server.klatchProcesses('klatch-poll').length >= 1);
      await ada.say('here', bob.peer);
      assert.deepEqual(dataOf((await poll).messages), ['here']);
    });
  }

  it('is not named by the CGI program, which has a process for each call anyway', async () => {
    assert.equal((await Member.join(server.api('/cgi-bin/klatch.cgi'), newRoom())).joined.poll.url, undefined);
  });

  it('is what the configuration says, where that says something', async () => {
    const other = await Apache.start({ config: { poll_url: 'https://polls.example/x' } });
    try {
      assert.equal((await Member.join(other.api(), newRoom())).joined.poll.url, 'https://polls.example/x');
    } finally {
      await other.stop();
    }
  });

  it('is not named where its file is missing or can not be run', async () => {
    const other = await Apache.start();
    try {
      fs.chmodSync(path.join(other.site.cgiBin, 'klatch-poll.fcgi'), 0o644);
      assert.equal((await Member.join(other.api(), newRoom())).joined.poll.url, undefined);
      fs.rmSync(path.join(other.site.cgiBin, 'klatch-poll.fcgi'));
      assert.equal((await Member.join(other.api(), newRoom())).joined.poll.url, undefined);
    } finally {
      await other.stop();
    }
  });
});
