// Run the suites and sum them up: `node tests/run.mjs [suite …]`, through `make test`. The last line
// is "N passed, N failed" with ", N skipped" when there are such; the status is 1 when anything
// failed or a suite had nothing to run.
import { fileURLToPath } from 'node:url';
import { Suites } from './setup/suites.mjs';

const ALL = ['lint', 'unit', 'sdk', 'ui', 'integration', 'browser', 'dist', 'npm', 'servers', 'doctor'];
/** Too long for every day: `make test-browser`. */
const NAMED_ONLY = ['browser-long'];
/** Side by side: most of them wait more than they work, people in a call the least. */
const LANES = { sdk: 6, browser: 2, 'browser-long': 2, default: 3 };
const root = fileURLToPath(new URL('../', import.meta.url));

const print = (text = '') => process.stdout.write(`${text}\n`);
const indent = (text) => text.trim().replace(/^/gm, '      ');
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;
const count = (results, state) => results.filter((result) => result.state === state).length;

function summary(results) {
  const skipped = count(results, 'skipped');
  return `${count(results, 'passed')} passed, ${count(results, 'failed')} failed`
    + (skipped ? `, ${skipped} skipped` : '');
}

async function runItem(suite, item) {
  const since = Date.now();
  const results = (await item.run()).map((result) => ({ ...result, suite, item: item.label }));
  const failed = results.filter((result) => result.state === 'failed');
  print(`  ${failed.length ? 'FAIL' : 'ok  '} ${item.label}: ${summary(results)} (${seconds(since)})`);
  for (const { name, why } of failed) {
    print(`    not ok: ${name}`);
    if (why?.trim()) print(indent(why));
  }
  return results;
}

/** Most tests wait more than they work: some run side by side, in the order of the list. */
async function runItems(suite, items) {
  const results = [];
  const take = async () => {
    for (let item = items.shift(); item; item = items.shift()) results.push(...await runItem(suite, item));
  };
  await Promise.all(Array.from({ length: LANES[suite] ?? LANES.default }, take));
  return results;
}

async function runSuite(suite, suites) {
  const since = Date.now();
  print(`\n${suite}`);
  const items = await suites.items(suite);
  const results = await runItems(suite, items.filter((item) => !item.alone));
  for (const item of items.filter((one) => one.alone)) results.push(...await runItem(suite, item));
  if (results.length === 0) {
    results.push({ suite, item: suite, name: 'nothing ran', state: 'failed' });
    print('  FAIL nothing ran');
  }
  return { suite, results, took: seconds(since) };
}

function printEnd(ends) {
  const all = ends.flatMap((end) => end.results);
  const named = (state) => all.filter((result) => result.state === state);
  if (count(all, 'skipped')) print('\nskipped');
  for (const { item, name, why } of named('skipped')) print(`  ${item}: ${name} (${why})`);
  if (count(all, 'failed')) print('\nfailed');
  for (const { item, name } of named('failed')) print(`  ${item}: ${name}`);
  print();
  for (const { suite, results, took } of ends) print(`${suite.padEnd(12)} ${summary(results)} (${took})`);
  print(summary(all));
  process.exitCode = count(all, 'failed') ? 1 : 0;
}

const chosen = process.argv.slice(2).length ? process.argv.slice(2) : ALL;
const unknown = chosen.filter((suite) => ![...ALL, ...NAMED_ONLY].includes(suite));
if (unknown.length) {
  print(`unknown suite: ${unknown.join(', ')} (there are ${[...ALL, ...NAMED_ONLY].join(', ')})`);
  process.exit(2);
}
const suites = new Suites(root);
const ends = [];
for (const suite of chosen) ends.push(await runSuite(suite, suites));
printEnd(ends);
