// The page itself: a good host, stopping, keys, the report as text, saving; and its texts.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it as itWith } from 'node:test';
import { FINDINGS, inWords } from '../../public_html/doctor/findings.js';
import { it } from '../integration/lib/it.mjs';
import { ROOT, newRunDir } from '../integration/lib/run-dir.mjs';
import { Apache } from '../servers/lib/apache.mjs';
import { Nginx } from '../servers/lib/nginx.mjs';
import { Doctor, openBrowser, withoutHolds } from './lib/doctor.mjs';
import { HOLDS, compile } from './lib/sites.mjs';

/** Of the whole, with the ladder of 25 s in it. */
const WHOLE_MS = 60_000;
/** That these tests run as root and reach no outside server is no fault of the host's. */
const OF_THE_TEST = ['K-STUN-NONE', 'K-RUNS-AS-ROOT'];
/** What the doctor rightly says of a host that is slow because other tests run on it; not each time. */
const OF_THE_LOAD = ['K-SLOW', 'K-SLOTS', 'K-QUEUE'];
const TRIES = 3;

/** What is to be mended or improved, after as many checks as it takes to tell a slow host from a busy one. */
async function wrongAt(doctor) {
  for (let tries = 1; ; tries += 1) {
    await doctor.finished();
    const told = [...await doctor.codes('bad'), ...await doctor.codes('warn')].filter((code) => !OF_THE_TEST.includes(code));
    if (tries === TRIES || told.length === 0 || !told.every((code) => OF_THE_LOAD.includes(code))) return told;
    await doctor.page.getByRole('button', { name: 'Check again', exact: true }).click();
    await doctor.page.getByRole('button', { name: 'Stop', exact: true }).waitFor();
  }
}

let browser;
let apache;
let nginx;
before(async () => {
  apache = await Apache.start({ subFolder: true, modules: ['cgid'], config: HOLDS });
  nginx = await Nginx.start({ config: { ...HOLDS, hold_ms: 25000 } });
  browser = await openBrowser();
  await apache.api().get('/v1/health'); // which makes the admin key
});
after(async () => {
  await browser?.close();
  await nginx?.stop();
  await apache?.stop();
});

describe('a host where all is well', { concurrency: true }, () => {
  for (const [name, server] of [['Apache with mod_fcgid', () => apache], ['nginx', () => nginx]]) {
    it(`${name}: nothing to mend or improve, and it says what is right`, async () => {
      const since = Date.now();
      const doctor = await Doctor.open(browser, `${server().page}/`);
      await doctor.finished();
      assert.ok(Date.now() - since < WHOLE_MS, `${Date.now() - since} ms`);
      const wrong = await wrongAt(doctor);
      assert.deepEqual(wrong, [], (await Promise.all(wrong.map((code) => doctor.words(code)))).join('\n'));
      const good = (await doctor.good()).join('\n');
      for (const words of [/program answers at/, /files of version/, /100 kB arrives whole/, /may wait 25 seconds/, /One machine/,
        /[78] browsers may wait/, /No file of the data folder/]) assert.match(good, words);
      assert.match(await doctor.verdict(), /^Klatch works|^Everything works/);
      assert.deepEqual(doctor.complaints, []);
      await doctor.close();
    });
  }
});

describe('somebody at the page', () => {
  it('sees what is being checked, stops it, and checks again, with the keyboard alone', async () => {
    const doctor = await Doctor.open(browser, `${nginx.page}/`);
    const { page } = doctor;
    await page.locator('li[data-state="running"]').filter({ hasText: 'How long a request may wait' }).waitFor();
    await page.getByRole('button', { name: 'Stop' }).focus();
    await page.keyboard.press('Enter');
    await doctor.finished();
    assert.match(await doctor.verdict(), /^Stopped/);
    const focused = () => page.evaluate(() => document.querySelector('#doctor').shadowRoot.activeElement?.textContent);
    assert.equal(await focused(), 'Check again');
    await page.keyboard.press('Enter');
    await page.locator('li[data-state="running"]').filter({ hasText: 'How long a request may wait' }).waitFor();
    assert.equal(await focused(), 'Stop');
    await doctor.close();
  });

  it('finds headings, landmarks, a spoken verdict and names for everything that can be used', async () => {
    const doctor = await Doctor.open(browser, `${nginx.page}/`, { before: withoutHolds });
    const { page } = doctor;
    await doctor.checked('How many machines answer');
    await page.getByRole('main').waitFor();
    for (const name of ['What is checked', 'For the owner of this site', 'Report', 'What is right']) {
      await page.getByRole('region', { name }).waitFor();
    }
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
    assert.equal(await page.getByRole('status').first().textContent(), 'Checking…');
    await page.getByRole('progressbar', { name: 'What is checked' }).waitFor();
    assert.equal(await page.getByLabel('Admin key').getAttribute('type'), 'password');
    const nameless = await page.evaluate(() => [...document.querySelector('#doctor').shadowRoot.querySelectorAll('button, a, input')]
      .filter((one) => !one.textContent.trim() && !one.labels?.length).length);
    assert.equal(nameless, 0);
    await doctor.close();
  });

  it('fits a narrow phone without scrolling sideways', async () => {
    const doctor = await Doctor.open(browser, `${nginx.page}/`, { size: [320, 568], before: withoutHolds });
    await doctor.checked('How many machines answer');
    assert.equal(await doctor.page.evaluate(() => document.documentElement.scrollWidth), 320);
    await doctor.close();
  });

  it('copies a report without keys, passwords and folders', async () => {
    const key = fs.readFileSync(path.join(apache.dataFolder, 'admin-key.txt'), 'utf8').trim();
    const doctor = await Doctor.open(browser, `${apache.page}/`,
      { suffix: '?secret=1#tea.secretsecretsecretsec', before: withoutHolds, context: { permissions: ['clipboard-read', 'clipboard-write'] } });
    await doctor.checked('What the program says of itself');
    await doctor.withKey(key);
    await doctor.page.locator('li[data-state="running"]').first().waitFor();
    await doctor.checked('Servers that help browsers find each other');
    await doctor.stop();
    await doctor.finished();
    await doctor.page.getByText(apache.dataFolder).first().waitFor();
    await doctor.page.getByRole('button', { name: 'Copy the report as text' }).click();
    await doctor.page.getByText('Copied.').waitFor();
    const text = await doctor.page.evaluate(() => navigator.clipboard.readText());
    assert.match(text, /^Klatch doctor, 20/);
    assert.match(text, /K-PROCESS-PER-POLL/);
    for (const secret of [key, apache.site.home, 'secret', '127.0.0.1']) assert.ok(!text.includes(secret), secret);
    await doctor.close();
  });

  it('is told when the key is wrong', async () => {
    const doctor = await Doctor.open(browser, `${apache.page}/`, { before: withoutHolds });
    await doctor.checked('What the program says of itself');
    await doctor.withKey('not-the-key');
    await doctor.found('K-KEY');
    await doctor.close();
  });

  it('saves the lines that findings ask for, and sees them used', async () => {
    const key = fs.readFileSync(path.join(apache.dataFolder, 'admin-key.txt'), 'utf8').trim();
    // What a host with little patience does to the ladder is tested elsewhere.
    const doctor = await Doctor.open(browser, `${apache.page}/`, { before: (page) => page.route('**/doctor/hold', async (route) => {
      const { ms } = route.request().postDataJSON();
      if (ms > 10_000) await route.fulfill({ status: 504, body: '' });
      else await route.fulfill({ json: { held_ms: ms } });
    }) });
    await doctor.checked('How long a request may wait');
    await doctor.stop();
    await doctor.finished();
    assert.equal(await doctor.lines(), 'hold_ms = 10000');
    await doctor.page.getByLabel('Admin key').fill(key);
    await doctor.page.getByRole('button', { name: 'Save them and check again' }).click();
    await doctor.page.locator('li[data-state="running"]').first().waitFor();
    assert.match(fs.readFileSync(apache.site.configFile, 'utf8'), /^hold_ms = 10000$/m);
    await doctor.close();
  });

  it('opened from a disk, it says where it belongs', async () => {
    const doctor = await Doctor.open(browser, `file://${apache.site.folder}/`);
    await doctor.page.getByText('K-FILE').waitFor();
    await doctor.close();
  });
});

describe('findings', () => {
  it('each has a level, a title, what it means and what to do, in whole sentences', () => {
    for (const [code, { level, title, means, todo }] of Object.entries(FINDINGS)) {
      assert.match(code, /^K-[A-Z0-9-]+$/);
      assert.ok(['bad', 'warn', 'info'].includes(level), code);
      assert.ok(title.length > 10 && !title.endsWith('.'), code);
      assert.ok(todo.length > 0 && todo.every((step) => step.length > 6), code);
      assert.ok(means.includes('{detail}') || /\.$/.test(means) || means.endsWith('{error}'), code);
    }
  });

  it('each code that a check tells is explained, and an unknown one is told all the same', () => {
    const folder = path.join(ROOT, 'public_html/doctor');
    const sources = fs.readdirSync(path.join(folder, 'checks')).map((name) => fs.readFileSync(path.join(folder, 'checks', name), 'utf8'));
    const others = ['run.js', 'boot.js'].map((name) => fs.readFileSync(path.join(folder, name), 'utf8'));
    const told = new Set([...sources, ...others].join('\n').match(/K-[A-Z][A-Z0-9-]*[A-Z0-9]/g));
    for (const code of told) assert.ok(code in FINDINGS, code);
    assert.match(inWords({ code: 'K-BRAND-NEW' }).title, /K-BRAND-NEW/);
  });

  it('each code of the program’s report is explained', () => {
    const source = fs.readFileSync(path.join(ROOT, 'src/doctor_checks.c'), 'utf8');
    const codes = [...source.matchAll(/doctor_find(?:_at)?\(d, "([a-z-]+)"|check_mode\(d, "([a-z-]+)"/g)].map(([, one, other]) => one ?? other);
    assert.ok(codes.length > 10);
    for (const code of codes) assert.ok(`K-${code.toUpperCase()}` in FINDINGS, code);
  });
});

describe('the helper script', () => {
  const shells = [['dash', []], ['busybox', ['sh']]].filter(([name]) => spawnSync(name, ['true']).error === undefined);
  for (const [name, args] of [['dash', []], ['busybox', ['sh']]]) {
    itWith(`says the same under ${name} ${args}`, { skip: shells.some(([there]) => there === name) ? false : `${name} is not there` }, () => {
      const dir = newRunDir();
      try {
        fs.copyFileSync(path.join(ROOT, 'deploy/dist/probe.cgi'), path.join(dir, 'probe.cgi'));
        for (const program of ['klatch.fcgi', 'klatch-poll.fcgi', 'klatch.cgi']) {
          fs.copyFileSync(path.join(ROOT, 'build/asan/klatch.fcgi'), path.join(dir, program));
          fs.chmodSync(path.join(dir, program), 0o755);
        }
        const probe = (query = '') => JSON.parse(execFileSync(name, [...args, 'probe.cgi'],
          { cwd: dir, env: { PATH: process.env.PATH, REQUEST_METHOD: 'GET', QUERY_STRING: query, PATH_INFO: query } }).toString().split('\r\n\r\n')[1]);
        const runs = probe();
        assert.deepEqual(Object.keys(runs), ['runs', 'version']);
        assert.deepEqual(probe('$(touch slipped);`touch slipped`'), runs);
        assert.ok(!fs.existsSync(path.join(dir, 'slipped')));
        fs.chmodSync(path.join(dir, 'klatch.fcgi'), 0o640);
        fs.writeFileSync(path.join(dir, 'klatch.cgi'), compile('void _start(void) { for (;;) ; }', { machine: 'aarch64' }));
        fs.rmSync(path.join(dir, 'klatch-poll.fcgi'));
        const told = probe();
        const by = Object.fromEntries(told.programs.map((program) => [program.name, program]));
        assert.deepEqual([by['klatch.fcgi'].mode, by['klatch.fcgi'].try, by['klatch.fcgi'].elf], ['640', 'permission', 'x86_64']);
        assert.deepEqual([by['klatch.cgi'].elf, by['klatch.cgi'].try], ['aarch64', 'exec-format']);
        assert.deepEqual(by['klatch-poll.fcgi'], { name: 'klatch-poll.fcgi', present: false });
        assert.equal(JSON.stringify(told).includes(dir), false);
      } finally {
        fs.rmSync(dir, { recursive: true, force: true });
      }
    });
  }
});
