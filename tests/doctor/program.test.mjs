// Why the program isn't run: each cause made on a real Apache, with mod_fcgid and plain CGI.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it as itWith } from 'node:test';
import { it } from '../integration/lib/it.mjs';
import { isRoot } from '../servers/lib/web-server.mjs';
import { Lighttpd } from '../servers/lib/lighttpd.mjs';
import { Doctor, openBrowser, withoutHolds } from './lib/doctor.mjs';
import { PROGRAMS, Sites, compile, inTextMode, replacePrograms } from './lib/sites.mjs';

const NOTHING = 'int main(void) { return 0; }';
const START = 'void _start(void) { for (;;) ; }';

let sites;
let browser;
before(async () => {
  sites = await Sites.start();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await sites?.stop();
});

async function look(url, code) {
  const doctor = await Doctor.open(browser, url, { before: withoutHolds });
  try {
    await doctor.checked('Whether the program can be run');
    const codes = await doctor.codes();
    return { codes, bad: await doctor.codes('bad'), words: codes.includes(code) && await doctor.words(code),
      complaints: doctor.complaints };
  } finally {
    await doctor.close();
  }
}

/** What the page says of a site after it looked for the program. */
async function told(url, code) {
  const found = await look(url, code);
  assert.ok(found.codes.includes(code), `${code} is not among ${found.codes}`);
  return found;
}

const each = (cgiBin, change) => PROGRAMS.forEach((name) => change(path.join(cgiBin, name)));

// They mostly wait.
describe('a program that the server doesn’t run', { concurrency: 2 }, () => {
  for (const [code, what, words, breakIt] of [
    ['K-HANDLER', 'is delivered as a file', /instead of running it/, (_, cgiBin) => fs.rmSync(path.join(cgiBin, '.htaccess'))],
    ['K-MISSING', 'was not uploaded', /klatch\.fcgi/, (_, cgiBin) => each(cgiBin, (file) => fs.rmSync(file))],
    ['K-MODE', 'has mode 644', /klatch\.fcgi, klatch-poll\.fcgi, klatch\.cgi[\s\S]*644[\s\S]*755/,
      (_, cgiBin) => each(cgiBin, (file) => fs.chmodSync(file, 0o644))],
    ['K-ARCH', 'is for another architecture', /host is x86_64[\s\S]*is for aarch64/,
      (_, cgiBin) => replacePrograms(cgiBin, compile(START, { machine: 'aarch64' }))],
    ['K-CUT', 'was uploaded by half', /by half: klatch\.fcgi/, (_, cgiBin) => each(cgiBin, (file) => {
      fs.truncateSync(file, 40_000);
    })],
    ['K-DAMAGED', 'went through an FTP program’s text mode', /binary mode/, (_, cgiBin) => each(cgiBin, inTextMode)],
    ['K-CRLF', 'came with texts whose line ends were changed', /klatch\.conf\.sample/, (_, cgiBin) => {
      each(cgiBin, inTextMode);
      inTextMode(path.join(cgiBin, 'klatch.conf.sample'));
    }],
    ['K-FOLDER-MODE', 'lies in a folder that everybody may write to', /mode 777/, (_, cgiBin) => {
      fs.chmodSync(cgiBin, 0o777);
      each(cgiBin, (file) => fs.chmodSync(file, 0o644));
    }],
    ['K-LOADER', 'needs a loader that the host hasn’t', /not found/, (folder, cgiBin) => {
      replacePrograms(cgiBin, compile(NOTHING, { flags: ['-Wl,--dynamic-linker=/nowhere/ld.so'] }));
      fs.rmSync(path.join(folder, 'files.json'));
    }],
    ['K-KILLED', 'is ended by a signal', /as soon as it starts/, (folder, cgiBin) => {
      replacePrograms(cgiBin, compile('#include <signal.h>\nint main(void) { return raise(SIGKILL); }', { flags: [] }));
      fs.rmSync(path.join(folder, 'files.json'));
    }],
    ['K-REFUSES', 'ends at once without a word', /security module/, (folder, cgiBin) => {
      replacePrograms(cgiBin, compile('int main(void) { return 1; }', { flags: [] }));
      fs.rmSync(path.join(folder, 'files.json'));
    }],
    ['K-FORBIDDEN', 'is refused by a rule of the host', /\(403\)/, (_, cgiBin) => {
      fs.appendFileSync(path.join(cgiBin, '.htaccess'), 'RedirectMatch 403 "klatch"\n');
    }],
    ['K-CRASH', 'doesn’t start, and no helper script can say why', /error log/, (_, cgiBin) => {
      replacePrograms(cgiBin, compile(START, { machine: 'aarch64' }));
      fs.rmSync(path.join(cgiBin, 'probe.cgi'));
    }],
    ['K-PROBE', 'doesn’t start, and neither does the helper script', /did not run either/, (_, cgiBin) => {
      each(cgiBin, (file) => fs.chmodSync(file, 0o644));
      fs.chmodSync(path.join(cgiBin, 'probe.cgi'), 0o644);
    }],
  ]) {
    it(`${code}: the program ${what}`, async () => {
      const found = await told(sites.add(code.toLowerCase(), breakIt), code);
      assert.match(found.words, words);
      assert.ok(found.bad.length > 0);
      assert.deepEqual(found.complaints, []);
    });
  }

  itWith('K-OWNER: the files belong to another user', { skip: isRoot ? false : 'needs root' }, async () => {
    const found = await told(sites.add('k-owner', (_, cgiBin) => each(cgiBin, (file) => {
      execFileSync('chown', ['root:root', file]);
      fs.chmodSync(file, 0o700);
    })), 'K-OWNER');
    assert.match(found.words, /klatch\.fcgi/);
  });
});

describe('a program that runs, and not as well as it could', () => {
  it('K-CGI-ONLY: only plain CGI is allowed', async () => {
    const found = await told(sites.add('k-cgi-only', (_, cgiBin) => {
      fs.appendFileSync(path.join(cgiBin, '.htaccess'), 'RedirectMatch 403 "[.]fcgi"\n');
    }), 'K-CGI-ONLY');
    assert.deepEqual(found.bad, []);
  });

  it('K-POLL-ENTRY: the copy for waiting requests is missing', async () => {
    const found = await told(sites.add('k-poll-entry', (_, cgiBin) => fs.rmSync(path.join(cgiBin, 'klatch-poll.fcgi'))), 'K-POLL-ENTRY');
    assert.deepEqual(found.bad, []);
  });

  it('a copy with a wrong mode is told, though the others do the work', async () => {
    const found = await told(sites.add('k-one-mode', (_, cgiBin) => fs.chmodSync(path.join(cgiBin, 'klatch.cgi'), 0o644)), 'K-MODE');
    assert.match(found.words, /Wrong mode: klatch\.cgi\n/);
    assert.deepEqual(found.bad, []);
  });
});

describe('a folder from which nothing may be run', () => {
  let server;
  let mounted = '';
  after(async () => {
    if (mounted) execFileSync('umount', ['--lazy', mounted]);
    await server?.stop();
  });

  itWith('K-NOEXEC: the disk of cgi-bin is mounted so', { skip: isRoot ? false : 'needs the right to mount' }, async (test) => {
    // The script is read by a shell that lies elsewhere, as hosts with an interpreter for .cgi do it.
    server = await Lighttpd.start({ how: 'cgi', extra: `$HTTP["url"] =~ "^/cgi-bin/probe" {
      url.access-deny = ( "~" )
      cgi.assign = ( "probe.cgi" => "/bin/sh" )
    }` });
    const { cgiBin } = server.site;
    const saved = `${cgiBin}.saved`;
    execFileSync('cp', ['-a', cgiBin, saved]);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec,size=200m,mode=755', 'none', cgiBin]);
    } catch {
      test.skip('no right to mount');
      return;
    }
    mounted = cgiBin;
    execFileSync('cp', ['-a', `${saved}/.`, cgiBin]);
    const found = await told(`${server.page}/`, 'K-NOEXEC');
    assert.match(found.words, /noexec/);
  });
});
