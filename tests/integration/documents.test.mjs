// What the documents name is there: files, headings, make targets, settings, calls, modules.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { it } from './lib/it.mjs';
import { ROOT } from './lib/run-dir.mjs';

const MADE = new Set(['build', 'node_modules', 'vendor', '.git']);
const read = (page) => fs.readFileSync(path.join(ROOT, page), 'utf8');
const sorted = (list) => [...new Set(list)].sort();

/** Every file with this ending, of people's making. */
function filesOf(ending, folder = '') {
  return fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (MADE.has(entry.name)) return [];
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) return filesOf(ending, name);
    return name.endsWith(ending) ? [name] : [];
  });
}

const pages = filesOf('.md');
/** Without what stands in blocks of code. */
const prose = (page) => read(page).replace(/^ *```.*?^ *```/gms, '');
/** The package's page lies beside other files when it is packed. */
const folderOf = (page) => (page === 'deploy/npm/package/README.md' ? 'public_html' : path.dirname(page));

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(page) {
  return new Set([...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading.replace(/`/g, '').toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '').replace(/ /g, '-')));
}

/** The rows of the sample, with the words that each allows where it allows only some. */
function settings() {
  const rows = read('cgi-bin/klatch.conf.sample').matchAll(/^# Allowed: (?:(on or off)|one of ([a-z, ]+))?.*\n(?:#.*\n)*?(?=#([a-z_]+) =)/gm);
  return new Map([...rows].map(([, either, some, key]) => [key, either ? ['on', 'off'] : some?.split(', ')]));
}

const routes = [...read('src/route.c').matchAll(/\{ HTTP_(GET|POST), "\/v1(\/[^"]*)"/g)].map(([, method, where]) => ({ method, where }));

describe('the documents', () => {
  it('link to files and headings that are there', () => {
    let seen = 0;
    for (const page of pages) {
      for (const [, link] of prose(page).matchAll(/(?:\]\(|src=")(?!https?:)([^)"\s]+)/g)) {
        const [file, anchor] = link.split('#');
        const target = file === '' ? page : path.posix.join(folderOf(page), file);
        assert.ok(fs.existsSync(path.join(ROOT, target)), `${page}: ${link}`);
        if (anchor) assert.ok(anchors(target).has(anchor), `${page}: ${link}`);
        seen += 1;
      }
    }
    assert.ok(seen > 80, `${seen}`);
  });

  it('name make targets as make help does', () => {
    const { stdout } = spawnSync('make', ['-s', 'help'], { cwd: ROOT, encoding: 'utf8' });
    const targets = new Set(stdout.split('\n').map((line) => line.trim().split(/\s/)[0]));
    assert.ok(targets.size > 10);
    for (const page of pages) {
      for (const [, target] of read(page).matchAll(/(?:`|\n *|sudo |&& )make ([a-z][a-z-]*)(?![a-z/])/g)) {
        assert.ok(targets.has(target), `${page}: make ${target}`);
      }
      // What the Makefile sets itself it hands to what it runs.
      for (const [, name] of read(page).matchAll(/`([A-Z_]+)=\S+ make /g)) {
        assert.doesNotMatch(read('Makefile'), new RegExp(`^${name} *:?=`, 'm'), `${page}: ${name}=`);
      }
    }
  });

  it('name settings that there are, with values that they take', () => {
    const known = settings();
    assert.ok(known.size > 25, `${known.size}`);
    let seen = 0;
    for (const page of [...pages, 'public_html/openapi.yaml']) {
      for (const [all, key, value] of read(page).matchAll(/`([a-z_]+) = ([^`\s]*)[^`]*`/g)) {
        assert.ok(known.has(key), `${page}: ${all}`);
        assert.ok(known.get(key)?.includes(value) ?? true, `${page}: ${all}`);
        seen += 1;
      }
    }
    assert.ok(seen > 10, `${seen}`);
  });

  it('list every call', () => {
    const listed = [...read('README.md').matchAll(/^\| (?:GET |POST )?`\/v1(\/[^`?]+)[^`]*`((?:, `\w+`)*)/gm)].flatMap(([, first, more]) => (
      [first, ...[...more.matchAll(/\w+/g)].map(([word]) => first.replace(/[^/]*$/, word))]));
    // The owner's calls for one room stand in deploy/ADMIN.md.
    assert.deepEqual(sorted(listed), sorted(routes.map(({ where }) => where).filter((where) => !where.startsWith('/admin/rooms/'))));
    const owner = [...read('deploy/ADMIN.md').matchAll(/^\| (GET|POST) `(admin\/[^`]+)` \|/gm)].map(([, method, where]) => (
      `${method} /${where.replace('ROOM', '{room}')}`));
    assert.deepEqual(sorted(owner), sorted(routes.filter(({ where }) => where.startsWith('/admin/')).map(({ method, where }) => `${method} ${where}`)));
  });

  it('place every module of the program', () => {
    const [, tree] = /## Modules\n.*?```\n(.*?)```/s.exec(read('src/README.md'));
    const words = [...tree.matchAll(/[a-z_0-9]+\*?/g)].map(([word]) => word);
    const placed = (name) => words.some((word) => (word.endsWith('*') ? name.startsWith(word.slice(0, -1)) : name === word));
    const modules = fs.readdirSync(path.join(ROOT, 'src')).filter((name) => name.endsWith('.c')).map((name) => name.slice(0, -2));
    assert.ok(modules.length > 50);
    assert.deepEqual(modules.filter((name) => !placed(name)), []);
  });

  it('say of every recipe what is to be filled in', () => {
    // nginx around the recipe is what deploy/serve.sh fills in.
    const recipes = filesOf('.in', 'deploy').filter((name) => !name.endsWith('/private.conf.in'));
    assert.ok(recipes.length > 5);
    for (const recipe of recipes) {
      const guide = read(path.join(path.dirname(recipe), 'README.md'));
      for (const [name] of read(recipe).matchAll(/@[A-Z_]+@/g)) assert.ok(guide.includes(name), `${recipe}: ${name}`);
    }
  });

  it('quote what the page shows', () => {
    const shown = new Set(Object.values(JSON.parse(read('public_html/ui/strings/en.json'))));
    const [, table] = read('public_html/examples/wordpress/README.md').split('| what is shown |');
    const quoted = [...table.matchAll(/^\| (".*?") \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/"([^"]+)"/g)].map(([, text]) => text));
    assert.ok(quoted.length > 3);
    assert.deepEqual(quoted.filter((text) => !shown.has(text)), []);
  });
});
