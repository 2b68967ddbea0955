// The first request after an upload: nothing was configured, and the binary makes what it needs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { HandedDown } from './lib/handed-down.mjs';
import { it } from './lib/it.mjs';
import { dataOf, roomOf } from './lib/member.mjs';
import { onSmallDisk } from './lib/small-disk.mjs';
import { until, within } from './lib/until.mjs';

const NOBODY = 65534;
const OWN = /^\.ht-klatch-[0-9a-f]{32}$/;

/** A cgi-bin as FTP leaves it: no configuration, no data. Its folders are made at the first run. */
class Fresh extends CgiBin {
  constructor(home) {
    super({ home });
    fs.rmSync(path.join(this.folder, 'klatch.conf'));
    fs.rmSync(this.data, { recursive: true });
  }

  get own() { return fs.readdirSync(this.folder).filter((name) => OWN.test(name)); }

  get ownFolder() { return path.join(this.folder, this.own[0]); }
}

async function withFresh(run) {
  const bin = new Fresh();
  try {
    await run(bin);
  } finally {
    bin.stop();
  }
}

/** Every file below `folder` with its mode, as `700 data`. */
function modes(folder, below = '') {
  return fs.readdirSync(path.join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(below, entry.name);
    const mode = (fs.lstatSync(path.join(folder, name)).mode & 0o777).toString(8);
    return [`${mode} ${name}`, ...(entry.isDirectory() ? modes(folder, name) : [])];
  });
}

describe('the first run', { concurrency: 2 }, () => {
  it('of twenty processes at once makes one folder, and all of them meet in it', () => withFresh(async (bin) => {
    const api = bin.api();
    const rooms = [newRoom(), newRoom()];
    const joined = await Promise.all(Array.from({ length: 20 },
      (_, i) => api.room(rooms[i % 2], 'join', { id: newId() })));
    for (const answer of joined) expectStatus(answer, 201);
    assert.equal(bin.own.length, 1, bin.own.join(' '));
    for (const room of rooms) assert.equal((await api.get(`/v1/rooms/${room}`)).json.peers, 10);
    assert.equal(bin.complaints, '', 'nobody has anything to complain of');
  }));

  it('of CGI programs and FastCGI processes at once leads them to one folder', () => withFresh(async (bin) => {
    const processes = await Promise.all([1, 2, 3].map((i) => {
      const dir = path.join(bin.dir, `p${i}`);
      fs.mkdirSync(dir);
      return HandedDown.start(bin.program, { dir });
    }));
    try {
      const apis = [bin.api(), ...processes.map((one) => one.api()), bin.api()];
      const room = newRoom();
      const answers = await Promise.all(apis.map((api) => api.room(room, 'join', { id: newId() })));
      for (const answer of answers) expectStatus(answer, 201);
      assert.equal(bin.own.length, 1);
      assert.equal((await bin.api().get(`/v1/rooms/${room}`)).json.peers, apis.length);
    } finally {
      for (const one of processes) await one.stop();
    }
  }));

  for (const umask of [0, 0o777]) {
    it(`keeps everything to its own user under the umask ${umask.toString(8)}`, () => withFresh(async (bin) => {
      const process_ = await HandedDown.start(bin.program, { dir: bin.dir, umask });
      try {
        const [ada, bob] = await roomOf(process_.api(), newRoom(), 2);
        await ada.say('private', bob.peer);
        const found = modes(bin.ownFolder);
        assert.ok(found.some((line) => line.endsWith('.db')) && found.includes('600 data/admin-key.txt'), found.join('\n'));
        assert.deepEqual(found.filter((line) => !/^(700 data|700 data\/rooms|600 .*)$/.test(line)), []);
        assert.equal(fs.statSync(bin.ownFolder).mode & 0o777, 0o700);
      } finally {
        await process_.stop();
      }
    }));
  }

  it('is one: what was made is used again, and klatch.conf in it is read', () => withFresh(async (bin) => {
    const [ada] = await roomOf(bin.api(), newRoom(), 1);
    const [own] = bin.own;
    fs.writeFileSync(path.join(bin.ownFolder, 'klatch.conf'), '\ufeffhold_ms = 7000\r\nmembers_max = 2\r\n');
    assert.equal((await roomOf(bin.api(), newRoom(), 1))[0].joined.limits.members, 2);
    await ada.read();
    assert.deepEqual(bin.own, [own]);
  }));

  it('after its folder was deleted makes it again; who was in a room is told that it is gone', () => withFresh(async (bin) => {
    const process_ = await HandedDown.start(bin.program, { dir: bin.dir });
    try {
      const api = process_.api();
      const [ada] = await roomOf(api, newRoom(), 1);
      const [own] = bin.own;
      fs.rmSync(bin.ownFolder, { recursive: true });
      const gone = await within(5000, 'an answer', ada.raw({ after: ada.cursor }));
      assert.ok([404, 410].includes(gone.status), gone.text);
      await until('rooms can be made again', async () => (await api.room(ada.room, 'join', { id: newId() })).status === 201);
      const [eve, joe] = await roomOf(api, newRoom(), 2);
      await eve.say('again', joe.peer);
      assert.deepEqual(dataOf(await joe.read()), ['again']);
      assert.deepEqual(bin.own, [own], 'under its former name');
      await until('the key is there again', () => fs.existsSync(path.join(bin.ownFolder, 'data/admin-key.txt')));
    } finally {
      await process_.stop();
    }
  }));
});

describe('where nothing can be made', { concurrency: 2 }, () => {
  /** Everything belongs to root, and Klatch runs as nobody. */
  async function withoutPlace(t, run) {
    if (process.getuid() !== 0) {
      t.skip('needs root, to be another user');
      return;
    }
    const bin = new Fresh();
    for (let dir = bin.folder; dir !== path.dirname(bin.dir); dir = path.dirname(dir)) fs.chmodSync(dir, 0o755);
    try {
      await run(bin);
    } finally {
      bin.stop();
    }
  }
  const misconfigured = (answer) => {
    expectProblem(answer, 500, 'misconfigured');
    assert.match(answer.json.detail, /klatch-private/, 'it says what to do');
    assert.doesNotMatch(answer.text, /tmp|cgi-bin/, 'and no path');
  };

  it('a CGI program says what to do, and the path to its log alone', (t) => withoutPlace(t, async (bin) => {
    const { stdout, stderr } = spawnSync('setpriv',
      [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', bin.program], {
        encoding: 'utf8', input: '{}', cwd: bin.folder,
        env: {
          REQUEST_METHOD: 'POST', PATH_INFO: '/v1/rooms/tea/join', CONTENT_LENGTH: '2',
          CONTENT_TYPE: 'application/json', GATEWAY_INTERFACE: 'CGI/1.1', ASAN_OPTIONS: 'detect_leaks=0',
        },
      });
    assert.match(stdout, /^Status: 500 .*"code":"misconfigured"/s);
    assert.match(stdout, /klatch-private/);
    assert.doesNotMatch(stdout, new RegExp(bin.folder));
    assert.match(stderr, new RegExp(`error configuration-wrong path=${bin.folder} error=`));
  }));

  it('a FastCGI process answers each request so, and serves when it can', (t) => withoutPlace(t, async (bin) => {
    const process_ = await HandedDown.start(bin.program, { dir: bin.dir, user: NOBODY });
    const api = process_.api();
    try {
      const all = [api.get('/v1/health'), api.room('tea', 'join', {}), api.post('/v1/rooms/tea/exchange',
        { key: 'x'.repeat(43), after: `${'0'.repeat(16)}.1`, wait_ms: 20000 }), api.get('/v1/rooms/tea')];
      for (const answer of await within(5000, 'answers', Promise.all(all))) misconfigured(answer);
      const { pid } = process_;
      fs.mkdirSync(path.join(bin.dir, 'klatch-private'), { mode: 0o700 });
      fs.chownSync(path.join(bin.dir, 'klatch-private'), NOBODY, NOBODY);
      await until('it serves', async () => (await api.get('/v1/health')).status === 200);
      await roomOf(api, newRoom(), 2);
      assert.ok(fs.existsSync(path.join(bin.dir, 'klatch-private/data/rooms')));
      assert.equal(process_.pid, pid);
      assert.equal(process_.logs().match(/error configuration-wrong/g).length, 1, 'told once');
    } finally {
      await process_.stop();
    }
  }));

  it('a folder that everybody can write to is refused with a sentence', () => withFresh(async (bin) => {
    fs.mkdirSync(path.join(bin.dir, 'klatch-private'));
    fs.chmodSync(path.join(bin.dir, 'klatch-private'), 0o777);
    const answer = expectProblem(await bin.api().room('tea', 'join', {}), 500, 'misconfigured');
    assert.match(answer.json.detail, /700/);
    assert.match(bin.complaints, /klatch-private/);
  }));

  it('a full disk is told as such, at every step of the way, and then it works', async (t) => {
    let bin;
    await onSmallDisk(t, 64 << 20, async ({ dir }) => {
      bin = new Fresh(dir);
      const fillers = [];
      try {
        for (;; fillers.push(path.join(dir, `fill-${fillers.length}`))) {
          fs.writeFileSync(path.join(dir, `fill-${fillers.length}`), '');
        }
      } catch (error) {
        assert.equal(error.code, 'ENOSPC');
      }
      const statuses = [];
      do {
        const answer = await within(5000, 'an answer', bin.api().room('tea', 'join', { id: newId() }));
        if (answer.status !== 201) expectProblem(answer, 507, 'disk-full');
        statuses.push(answer.status);
        if (fillers.length > 0) fs.rmSync(fillers.pop());
      } while (statuses.at(-1) !== 201);
      assert.ok(statuses.length > 4, `folder, data, rooms and file each had no place: ${statuses}`);
      assert.equal(bin.own.length, 1);
      for (const filler of fillers) fs.rmSync(filler);
      await roomOf(bin.api(), newRoom(), 2);
    }, { inodes: 24 }).finally(() => bin?.stop());
  });
});
