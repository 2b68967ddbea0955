// What the program says of itself, what of its data a browser can read, and rule sets.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it as itWith } from 'node:test';
import { it } from '../integration/lib/it.mjs';
import { until } from '../integration/lib/until.mjs';
import { Apache } from '../servers/lib/apache.mjs';
import { isRoot, render } from '../servers/lib/web-server.mjs';
import { Doctor, openBrowser, withoutHolds } from './lib/doctor.mjs';
import { HOLDS } from './lib/sites.mjs';

const REPORT = 'What the program says of itself';
const DATA = 'Whether data can be read from outside';
const CALLS = 'Calls, their sizes and headers';
const needsRoot = { skip: isRoot ? false : 'needs root' };

let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

/** @param {string} url @param {string[]} wanted codes @param {string} check @param {{key?: string, before_?: Function}} [options] */
async function told(url, wanted, check, { key = '', before_ = withoutHolds } = {}) {
  const doctor = await Doctor.open(browser, url, { before: before_ });
  try {
    await doctor.checked(check);
    if (key) {
      await doctor.withKey(key);
      await doctor.checked(check);
    }
    const codes = await doctor.codes();
    for (const code of wanted) assert.ok(codes.includes(code), `${code} is not among ${codes}; right is ${await doctor.good()}`);
    return { codes, words: (await Promise.all(wanted.map((code) => doctor.words(code)))).join('\n') };
  } finally {
    await doctor.close();
  }
}

describe('what the program says of itself', () => {
  let server;
  before(async () => { server = await Apache.start({ subFolder: true, config: HOLDS, modules: ['cgid'] }); });
  // The program's errors in the log are what these tests provoke.
  after(() => { server.complaints = () => server.logs().split('\n').filter((line) => /Sanitizer|runtime error:/.test(line)); return server.stop(); });
  const url = () => `${server.page}/`;

  it('K-DATA-OPEN, K-ADMIN-KEY-OPEN, K-BINARY-OPEN, K-PROCESS-PER-POLL: modes, and how programs run here', async () => {
    let stayed = null;
    const changed = async (page) => {
      await withoutHolds(page);
      // Each process that starts mends the folder's mode; somebody changes it after that.
      await page.route('**/doctor/report', async (route) => {
        fs.chmodSync(server.dataFolder, 0o755);
        fs.chmodSync(path.join(server.dataFolder, 'admin-key.txt'), 0o644);
        for (const name of fs.readdirSync(server.site.cgiBin)) {
          if (/^klatch.*cgi$/.test(name)) fs.chmodSync(path.join(server.site.cgiBin, name), 0o775);
        }
        await route.continue();
      });
      page.on('response', (response) => {
        if (response.url().endsWith('/doctor/report')) stayed = (fs.statSync(server.dataFolder).mode & 0o777) === 0o755;
      });
    };
    // The web server may start one at any time, for the report or for another of the page's calls: then once more.
    await until('a report while no process starts', async () => {
      stayed = null;
      try {
        return await told(url(), ['K-DATA-OPEN', 'K-ADMIN-KEY-OPEN', 'K-BINARY-OPEN', 'K-PROCESS-PER-POLL'], REPORT, { before_: changed });
      } catch (error) {
        if (stayed !== false) throw error;
        return null;
      }
    }, { withinMs: 40_000 });
    fs.chmodSync(server.dataFolder, 0o700);
    fs.chmodSync(path.join(server.dataFolder, 'admin-key.txt'), 0o600);
  });

  itWith('K-DATA-NOT-WRITABLE: the data folder belongs to somebody else', needsRoot, async () => {
    execFileSync('chown', ['root:root', server.dataFolder]);
    fs.chmodSync(server.dataFolder, 0o755);
    await told(url(), ['K-DATA-NOT-WRITABLE'], REPORT);
    execFileSync('chown', ['www-data:www-data', server.dataFolder]);
    fs.chmodSync(server.dataFolder, 0o700);
  });

  itWith('K-DATA-FULL, K-DATA-VOLATILE, K-ICE-UNKNOWN: the disk of the data folder is full', needsRoot, async (test) => {
    const saved = `${server.dataFolder}.saved`;
    execFileSync('cp', ['-a', server.dataFolder, saved]);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700,uid=33,gid=33', 'none', server.dataFolder]);
    } catch {
      test.skip('no right to mount');
      return;
    }
    try {
      execFileSync('cp', ['-a', `${saved}/.`, server.dataFolder]);
      execFileSync('sh', ['-c', `cat /dev/zero > ${server.dataFolder}/filler 2>/dev/null || true`]);
      const doctor = await Doctor.open(browser, url(), { before: withoutHolds });
      for (const code of ['K-DATA-FULL', 'K-DATA-VOLATILE', 'K-ICE-UNKNOWN']) await doctor.found(code);
      await doctor.close();
    } finally {
      execFileSync('umount', ['--lazy', server.dataFolder]);
    }
  });

  it('K-DATA-MISSING or a folder made anew: the data folder was deleted while the program ran', async () => {
    fs.rmSync(server.dataFolder, { recursive: true });
    const doctor = await Doctor.open(browser, url(), { before: withoutHolds });
    await doctor.checked(REPORT);
    const codes = await doctor.codes('bad');
    assert.ok(codes.includes('K-DATA-MISSING') || fs.existsSync(server.dataFolder), `${codes}`);
    await doctor.close();
    fs.mkdirSync(server.dataFolder, { recursive: true, mode: 0o700 });
    server.site.own();
  });

  it('K-CONFIG-WRONG: klatch.conf has an unknown line, which is not told to everybody', async () => {
    const changed = async (page) => {
      await withoutHolds(page);
      await page.route('**/doctor/report', async (route) => {
        fs.appendFileSync(server.site.configFile, 'hold_seconds = 25\n');
        await route.continue();
      });
    };
    const { words } = await told(url(), ['K-CONFIG-WRONG'], REPORT, { before_: changed });
    assert.doesNotMatch(words, /hold_seconds/);
  });

  it('K-STATE, K-REFUSING: started with such a line the program says what keeps it from working', async () => {
    await server.end();
    await server.start();
    const doctor = await Doctor.open(browser, url(), { before: withoutHolds });
    await doctor.found('K-STATE');
    assert.match(await doctor.words('K-STATE'), /runs, and says/);
    await doctor.found('K-REFUSING');
    await doctor.close();
    server.site.configure(HOLDS);
    await server.end();
    await server.start();
  });

  it('K-CONFIG-MISSING: none was uploaded', async () => {
    fs.rmSync(server.site.configFile);
    await told(url(), ['K-CONFIG-MISSING'], REPORT);
    server.site.configure(HOLDS);
  });
});

describe('private files that a browser can read', () => {
  it('K-DATA-URL, K-CONFIG-URL: klatch-private was extracted into the web folder, and the host reads no .htaccess', async () => {
    const server = await Apache.start({ subFolder: true, config: HOLDS, modules: ['cgid'], extra: '' });
    try {
      await server.api().get('/v1/health');
      execFileSync('cp', ['-a', server.site.private, path.join(server.site.webRoot, 'klatch-private')]);
      execFileSync('rm', [path.join(server.site.webRoot, 'klatch-private/.htaccess')]);
      const { words } = await told(`${server.page}/`, ['K-DATA-URL', 'K-CONFIG-URL'], DATA);
      assert.match(words, /\/klatch-private\/README\.txt/);
      assert.match(words, /\/klatch-private\/klatch\.conf/);
    } finally {
      await server.stop();
    }
  });
});

describe('rule sets', () => {
  /** Apache with ModSecurity and these lines. */
  async function withRules(lines, body) {
    const server = new Apache({ subFolder: true, modules: ['cgid', 'security2', 'unique_id'], config: HOLDS });
    const state = path.join(server.dir, 'modsecurity');
    fs.mkdirSync(state);
    if (isRoot) fs.chmodSync(state, 0o777);
    server.options.main = lines(state);
    await server.start();
    try {
      await body(`${server.page}/`);
    } finally {
      await server.stop();
    }
  }

  it('K-RULES: OWASP’s rule set blocks what looks hostile, and lets the page’s packed text pass', async () => {
    await withRules((state) => render('modsecurity/klatch.conf.in', { STATE: state }), async (url) => {
      const { codes } = await told(url, ['K-RULES'], CALLS);
      assert.ok(!codes.includes('K-POST') && !codes.includes('K-RULES-ALL'), `${codes}`);
    });
  });

  it('K-RULES-ALL: a rule blocks long words too', async () => {
    await withRules((state) => `SecRuleEngine On\nSecRequestBodyAccess On\nSecDataDir "${state}"\nSecTmpDir "${state}"
      SecRequestBodyNoFilesLimit 1000000\nSecRequestBodyLimit 1000000
      SecRule REQUEST_HEADERS:Content-Type "json" "id:1,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"
      SecRule REQUEST_BODY "@rx script|[A-Za-z0-9_-]{99}" "id:2,phase:2,deny,status:406,chain"
      SecRule REQUEST_BODY "!@rx pad" "t:none"`, async (url) => {
      const { words } = await told(url, ['K-RULES-ALL'], CALLS);
      assert.match(words, /\(406\)/);
    });
  });
});
