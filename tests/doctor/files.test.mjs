// The uploaded files: missing, cut, changed by text mode, mixed; and the doctor when it is itself
// among them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { it } from '../integration/lib/it.mjs';
import { Doctor, openBrowser, withoutHolds } from './lib/doctor.mjs';
import { Sites, inTextMode } from './lib/sites.mjs';

let sites;
let browser;
before(async () => {
  sites = await Sites.start();
  browser = await openBrowser({ args: ['--host-resolver-rules=MAP klatch.test 127.0.0.1'] });
});
after(async () => {
  await browser?.close();
  await sites?.stop();
});

async function told(url, code, check = 'The uploaded files') {
  const doctor = await Doctor.open(browser, url, { before: withoutHolds });
  try {
    await doctor.checked(check);
    const codes = await doctor.codes();
    assert.ok(codes.includes(code), `${code} is not among ${codes}; right is ${await doctor.good()}`);
    return await doctor.words(code);
  } finally {
    await doctor.close();
  }
}

const edit = (file, from, to) => fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(from, to));

// They mostly wait.
describe('files', { concurrency: 2 }, () => {
  for (const [code, what, words, breakIt] of [
    ['K-FILES-MISSING', 'were not all uploaded', /\(2\)[\s\S]*klatch\/room\.js, ui\/call\.js\./, (folder) => {
      for (const file of ['klatch/room.js', 'ui/call.js']) fs.rmSync(path.join(folder, file));
    }],
    ['K-FILES-CUT', 'are cut', /\(1\)[\s\S]*app\/icon-512\.png/, (folder) => {
      fs.truncateSync(path.join(folder, 'app/icon-512.png'), 900);
    }],
    ['K-FILES-TEXT', 'went through text mode', /binary mode/, (folder) => {
      for (const file of ['klatch/room.js', 'app/icon-180.png']) inTextMode(path.join(folder, file));
    }],
    ['K-FILES-MIXED', 'are of two versions', /\(1\)[\s\S]*klatch\/peer\.js/, (folder) => {
      fs.appendFileSync(path.join(folder, 'klatch/peer.js'), '// another version\n');
    }],
    ['K-MANIFEST', 'have no list', /files\.json/, (folder) => fs.rmSync(path.join(folder, 'files.json'))],
    ['K-VERSION', 'are of another version than the program', /page is 9\.9\.9, the program that answers is \d/, (folder) => {
      edit(path.join(folder, 'files.json'), /"version": "[^"]*"/, '"version": "9.9.9"');
    }],
  ]) {
    it(`${code}: the files ${what}`, async () => {
      assert.match(await told(sites.add(code.toLowerCase(), breakIt), code), words);
    });
  }

  it('are right where the host runs PHP instead of giving it away, and keeps texts for people to itself', async () => {
    const url = sites.add('php', (folder) => {
      const example = path.join(folder, 'examples/wordpress');
      fs.writeFileSync(path.join(example, 'klatch.php'), '');
      fs.rmSync(path.join(example, 'README.md'));
    });
    const doctor = await Doctor.open(browser, url, { before: withoutHolds });
    try {
      await doctor.checked('The uploaded files');
      assert.deepEqual((await doctor.codes()).filter((code) => code.startsWith('K-FILES')), []);
    } finally {
      await doctor.close();
    }
  });

  it('over http sizes tell of a cut file, where contents can’t be compared', async () => {
    const url = sites.add('sizes', (folder) => fs.truncateSync(path.join(folder, 'klatch/peer.js'), 500));
    assert.match(await told(url.replace('localhost', 'klatch.test'), 'K-FILES-CUT'), /klatch\/peer\.js/);
  });
});

describe('the doctor when its own files are torn', () => {
  it('K-SELF: a missing check is told, and the others run', async () => {
    const url = sites.add('no-clock', (folder) => fs.rmSync(path.join(folder, 'doctor/checks/page.js')));
    assert.match(await told(url, 'K-SELF', 'This page and its address'), /doctor\/checks\/page\.js/);
  });

  it('works without what the chat page needs, in the browser’s own colours', async () => {
    const url = sites.add('alone', (folder) => {
      for (const part of ['vendor', 'klatch', 'app', 'ui']) fs.rmSync(path.join(folder, part), { recursive: true });
      fs.mkdirSync(path.join(folder, 'ui'));
      fs.copyFileSync(path.join(sites.server.site.folder, 'ui/places.js'), path.join(folder, 'ui/places.js'));
    });
    assert.match(await told(url, 'K-FILES-MISSING'), /in app\/, \d+ in klatch\/, \d+ in ui\/, \d+ in vendor\//);
  });

  for (const [what, words, breakIt] of [
    ['a missing file', /K-SELF.*doctor\/view\.js \(missing, 404\)/, (folder) => fs.rmSync(path.join(folder, 'doctor/view.js'))],
    ['a file that is cut', /K-SELF.*doctor\/main\.js \(cut off\)/, (folder) => fs.truncateSync(path.join(folder, 'doctor/main.js'), 700)],
    ['an empty file', /K-SELF.*doctor\/run\.js \(cut off\)/, (folder) => fs.truncateSync(path.join(folder, 'doctor/run.js'), 0)],
  ]) {
    it(`${what} of the doctor is named in a sentence`, async () => {
      const url = sites.add(`torn-${what.split(' ').pop()}-${what.length}`, breakIt);
      const doctor = await Doctor.open(browser, url);
      await doctor.page.getByText('K-SELF').waitFor();
      assert.match(await doctor.page.locator('#note').textContent(), words);
      await doctor.close();
    });
  }

  it('without its first script the page says which one is missing', async () => {
    const url = sites.add('no-boot', (folder) => fs.rmSync(path.join(folder, 'doctor/boot.js')));
    const doctor = await Doctor.open(browser, url);
    assert.match(await doctor.page.locator('main').innerText(), /doctor\/boot\.js was not uploaded/);
    await doctor.close();
  });
});
