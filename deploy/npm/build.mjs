// Lay out the npm package: `node deploy/npm/build.mjs DEST`, through `make npm`. DEST must lie below build/,
// where the compiler finds its packages; it is made anew.
//
// In it are the modules of public_html/ as they are, with what they load of other people in vendor/, so that
// the same files serve a page that takes them from a folder and a bundler. Two things are made: declarations,
// from the JSDoc, of what can be reached from the package's entries; and the tables of texts as modules,
// since bundlers don't follow a fetch().
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OWN = path.join(ROOT, 'deploy/npm/package');
const BUILD = path.join(ROOT, 'build');
const PARTS = ['klatch', 'ui', 'klatch-frame.js'];
/** What the declarations begin with. */
const ENTRIES = ['index', 'ui/klatch-room', 'klatch-frame'];
const dest = path.resolve(process.argv[2] ?? '');

const read = (file) => fs.readFileSync(file, 'utf8');
const walk = (dir) => fs.readdirSync(dir, { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath ?? entry.path, entry.name)).sort();
const isOwn = (name) => !path.basename(name).startsWith('.') && !name.endsWith('~');

function copySources() {
  for (const name of PARTS) fs.cpSync(path.join(ROOT, 'public_html', name), path.join(dest, name), { recursive: true, filter: isOwn });
  fs.cpSync(path.join(BUILD, 'vendor'), path.join(dest, 'vendor'), { recursive: true });
  fs.cpSync(OWN, dest, { recursive: true, filter: isOwn });
  for (const name of ['LICENSE', 'CHANGELOG.md']) fs.copyFileSync(path.join(ROOT, name), path.join(dest, name));
  const { version } = JSON.parse(read(path.join(ROOT, 'package.json')));
  const { name, ...rest } = JSON.parse(read(path.join(OWN, 'package.json')));
  fs.writeFileSync(path.join(dest, 'package.json'), `${JSON.stringify({ name, version, ...rest }, null, 2)}\n`);
}

/** The compiler's own rules are the tree's; only what comes out is another. */
function makeDeclarations() {
  const config = path.join(dest, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false, declaration: true, declarationMap: true, emitDeclarationOnly: true,
    rootDirs: [], rootDir: '.',
  };
  const files = ENTRIES.map((name) => `${name}.js`);
  const own = { extends: path.join(ROOT, 'tsconfig.json'), compilerOptions, files, include: [], exclude: [] };
  fs.writeFileSync(config, JSON.stringify(own));
  execFileSync(process.execPath, [path.join(BUILD, 'node_modules/typescript/bin/tsc'), '--project', config], { stdio: 'inherit' });
  fs.rmSync(config);
  for (const file of walk(dest).filter((one) => one.endsWith('.d.ts'))) {
    fs.writeFileSync(file, read(file)
      // Not everybody's compiler reads JSON: to others the keys of texts are strings.
      .replace(/typeof import\(['"][^'"]*\.json['"]\)/g, 'Record<string, unknown>')
      // The compiler forgets what @extends gives to a constructor that is a value.
      .replace(/(class (\w+)<(\w+) extends [^{]*> extends \2_base) \{/g, '$1<$3> {'));
  }
}

/** Keep the declarations that somebody can come to; they may name nothing of other people's. */
function keepReachable() {
  const seen = new Set();
  const visit = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    if (file.startsWith(path.join(dest, 'vendor'))) throw new Error('public types name something in vendor/: @returns {unknown} hides it');
    for (const [, other] of read(file).matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      if (!other.endsWith('.js')) throw new Error(`${path.relative(dest, file)} needs ${other}, which has no declarations`);
      visit(path.resolve(path.dirname(file), other.replace(/\.js$/, '.d.ts')));
    }
  };
  for (const name of [...ENTRIES, 'element']) visit(path.join(dest, `${name}.d.ts`));
  for (const file of walk(dest)) {
    if (/\.d\.ts(\.map)?$/.test(file) && !seen.has(file.replace(/\.map$/, ''))) fs.rmSync(file);
  }
}

/** One module for each language, loaded when it is spoken. */
function makeTables() {
  const folder = path.join(dest, 'ui/strings');
  const rows = [];
  for (const file of walk(folder).filter((one) => one.endsWith('.json'))) {
    const language = path.basename(file, '.json');
    fs.writeFileSync(path.join(folder, `${language}.js`), `export default ${read(file).trim()};\n`);
    fs.rmSync(file);
    rows.push(`  '${language}': async () => (await import('./${language}.js')).default,\n`);
  }
  fs.writeFileSync(path.join(folder, 'tables.js'), '// Each language there is, by BCP 47 tag, and how its table of texts is had.\n'
    + `export const languages = Object.freeze({\n${rows.join('')}});\n`);
}

if (!dest.startsWith(`${BUILD}${path.sep}`)) throw new Error('the folder must lie below build/');
fs.rmSync(dest, { recursive: true, force: true });
fs.mkdirSync(dest, { recursive: true });
copySources();
makeDeclarations();
keepReachable();
makeTables();
