// The uploaded files on a real Apache that lets a .htaccess say this much or that: the page is never
// broken by it, programs run where FileInfo may be overridden or the host runs them by itself, and
// nobody reads by URL what isn't theirs. One server, with a copy of the upload for each case.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { expectStatus, newRoom } from '../integration/lib/api.mjs';
import { configText } from '../integration/lib/run-dir.mjs';
import { Apache } from '../servers/lib/apache.mjs';
import { WWW, isRoot } from '../servers/lib/web-server.mjs';
import { binaryOf } from './lib/dist.mjs';

const ENTRIES = ['cgi-bin/klatch.fcgi', 'cgi-bin/klatch-poll.fcgi', 'cgi-bin/klatch.cgi'];
const SECRET = 'nobody-may-read-this';

/** name: what the host says in its own configuration of the folder. */
const HOSTS = {
  fileinfo: 'AllowOverride FileInfo\nOptions ExecCGI',
  listing: 'AllowOverride FileInfo\nOptions ExecCGI Indexes FollowSymLinks',
  all: 'AllowOverride All\nOptions ExecCGI',
  none: 'AllowOverride None\nOptions ExecCGI Indexes',
  'none-cgi': 'AllowOverride None\nOptions ExecCGI\nAddHandler cgi-script .cgi',
  limit: 'AllowOverride Limit\nOptions ExecCGI',
  authconfig: 'AllowOverride AuthConfig\nOptions ExecCGI',
  indexes: 'AllowOverride Indexes\nOptions ExecCGI',
  options: 'AllowOverride Options\nOptions ExecCGI',
  'limit-cgi': 'AllowOverride Limit\nOptions ExecCGI\nAddHandler cgi-script .cgi',
};
const STRICT = ['none', 'none-cgi', 'limit', 'authconfig', 'indexes', 'options', 'limit-cgi'];

/** What a careless owner, or a host whose data must lie in the web folder, may have there. */
const PRIVATE = ['cgi-bin/klatch.conf', 'cgi-bin/klatch.conf~', 'cgi-bin/klatch.conf.bak',
  'cgi-bin/klatch.conf.sample', 'cgi-bin/data/admin-key.txt', 'cgi-bin/data/rooms/klatch.db',
  'cgi-bin/.ht-klatch-0123456789abcdef0123456789abcdef/klatch.conf',
  'cgi-bin/.ht-klatch-0123456789abcdef0123456789abcdef/data/admin-key.txt',
  'klatch-private/klatch.conf', 'klatch-private/data/admin-key.txt'];

/** The upload, as `name` of the server's, with secrets everywhere. */
function copyFor(server, name) {
  const folder = path.join(server.dir, name);
  fs.cpSync(server.site.folder, folder, { recursive: true });
  fs.cpSync(server.site.private, path.join(folder, 'klatch-private'), { recursive: true });
  fs.chmodSync(path.join(folder, 'klatch-private'), 0o755);
  for (const file of PRIVATE.filter((one) => !one.endsWith('.sample'))) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), SECRET);
  }
  fs.writeFileSync(path.join(folder, 'cgi-bin/klatch.conf'),
    `# ${SECRET}\n${configText({ data_dir: path.join(folder, 'data-of-test'), ice_server: 'none' })}`);
  if (isRoot) execFileSync('chown', ['-R', `${WWW.user}:${WWW.group}`, folder]);
  return `Alias /${name}/ "${folder}/"\n<Directory "${folder}">\nRequire all granted\nDirectoryIndex index.html\n`
    + `${HOSTS[name]}\n</Directory>`;
}

describe('the uploaded folder on Apache', () => {
  let server;
  // A connection for each: Apache may close one that is kept just when it is asked again.
  const get = (address) => fetch(`${server.origin}/${address}`, { redirect: 'manual', headers: { connection: 'close' } });

  before(async () => {
    server = new Apache({ recipe: 'apache-fcgid', modules: ['cgid', 'autoindex'], config: null,
      bin: binaryOf('x86_64') });
    server.options.extra = Object.keys(HOSTS).map((name) => copyFor(server, name)).join('\n');
    await server.start();
  }, { timeout: 30000 });
  after(() => server?.stop(), { timeout: 30000 });

  for (const host of Object.keys(HOSTS)) {
    it(`${host}: the page, the doctor page and all they are made of come`, async () => {
      const { files } = JSON.parse(await (await get(`${host}/files.json`)).text());
      const names = ['', ...files.map((file) => file.path).filter((name) => !/^(cgi|cgi-bin)\//.test(name))];
      for (const name of ['index.html', 'doctor.html', 'openapi.yaml']) assert.ok(names.includes(name), name);
      for (const name of names) {
        const answer = await get(`${host}/${name}`);
        assert.equal(answer.status, 200, name);
        if (name.endsWith('.js')) assert.match(answer.headers.get('content-type'), /javascript/, name);
      }
    });
  }

  async function checkCalls(host, entry) {
    const api = server.api(`/${host}/${entry}`);
    const health = expectStatus(await api.get('/v1/health'), 200).json;
    assert.equal(health.status, 'ok');
    const room = newRoom();
    const anna = expectStatus(await api.room(room, 'join', {}), 201).json;
    const ben = expectStatus(await api.room(room, 'join', {}), 201).json;
    expectStatus(await api.room(room, 'exchange',
      { key: ben.key, send: [{ id: 'a', to: anna.peer, type: 'offer', data: {} }] }), 200);
    const { messages } = expectStatus(await api.room(room, 'exchange',
      { key: anna.key, after: anna.cursor, wait_ms: 1000 }), 200).json;
    assert.deepEqual(messages.map(({ type }) => type), ['peer-joined', 'offer']);
    // A room may have any name, and a path that looks like a private one is a call all the same.
    for (const name of ['data', 'klatch-private', 'cgi-bin']) expectStatus(await api.room(name, 'join', {}), 201);
    return health;
  }

  for (const host of ['fileinfo', 'listing', 'all']) {
    it(`${host}: every entry point answers, FastCGI where it says so`, async () => {
      const modes = [];
      for (const entry of ENTRIES) modes.push((await checkCalls(host, entry)).mode);
      assert.deepEqual(modes, ['fastcgi', 'fastcgi', 'cgi']);
    });

    it(`${host}: nobody reads settings, keys, data or lists of files`, async () => {
      for (const file of PRIVATE) {
        for (const address of [file, `${file}/`, `${file}?v1`, `cgi-bin/klatch.cgi/%2e%2e/%2e%2e/${file}`]) {
          const answer = await get(`${host}/${address}`);
          assert.ok([403, 404, 500].includes(answer.status), `${address}: ${answer.status}`);
          assert.ok(!(await answer.text()).includes(SECRET), address);
        }
      }
      for (const folder of new Set(PRIVATE.map((file) => `${path.dirname(file)}/`))) {
        assert.ok([403, 500].includes((await get(`${host}/${folder}`)).status), folder);
      }
    });
  }

  it('what is refused is there: without a .htaccess it would be read', async () => {
    const answer = await get('none/cgi-bin/klatch.conf');
    assert.equal(answer.status, 200);
    assert.ok((await answer.text()).includes(SECRET));
    assert.match(await (await get('none/cgi-bin/')).text(), /href="klatch\.conf"/);
  });

  it('none-cgi: a program that the host runs by itself answers', async () => {
    await checkCalls('none-cgi', 'cgi-bin/klatch.cgi');
  });

  it('limit-cgi: where the host runs programs and the .htaccess is forbidden, cgi/ answers', async () => {
    assert.equal((await get('limit-cgi/cgi-bin/klatch.cgi/v1/health')).status, 500);
    await checkCalls('limit-cgi', 'cgi/klatch.cgi');
  });

  for (const host of STRICT.filter((name) => !name.startsWith('none'))) {
    it(`${host}: the private folder stays closed where its .htaccess is forbidden`, async () => {
      for (const file of PRIVATE.filter((name) => name.startsWith('klatch-private/'))) {
        const answer = await get(`${host}/${file}`);
        assert.ok([403, 500].includes(answer.status), `${file}: ${answer.status}`);
        assert.ok(!(await answer.text()).includes(SECRET), file);
      }
    });
  }
});

describe('the uploaded folder on an Apache without mod_fcgid', () => {
  it('runs every entry point as plain CGI', async () => {
    const server = new Apache({ recipe: 'apache-cgid', config: null, bin: binaryOf('x86_64') });
    server.options.extra = copyFor(server, 'fileinfo');
    await server.start();
    try {
      for (const entry of ENTRIES) {
        const health = expectStatus(await server.api(`/fileinfo/${entry}`).get('/v1/health'), 200).json;
        assert.equal(health.mode, 'cgi', entry);
      }
    } finally {
      await server.stop();
    }
  });
});
