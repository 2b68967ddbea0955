// A reporter for node's test runner: one line of JSON for each test that ended, behind a mark, so
// that tests/run.mjs tells it from what a test itself prints.
import { inspect, stripVTControlCharacters } from 'node:util';

export const MARK = '\u0001klatch-test ';

/** What a person needs of an error: the cause that node wraps, not the wrapping. */
function told(error) {
  if (!error) return '';
  const cause = error.cause ?? error;
  const text = typeof cause === 'string' ? cause : inspect(cause, { depth: 4, colors: false });
  // Playwright colours its errors.
  return stripVTControlCharacters(text).split('\n').filter((line) => !/^\s+at .*\(?node:internal\//.test(line)).join('\n');
}

/** Not so for a test that a helper of the test file made: its line says nothing. */
const inTestFile = (file) => file && String(file).endsWith(process.argv[1] ?? '?');

export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const reason = data.skip ?? data.todo;
    const line = {
      name: data.name,
      depth: data.nesting,
      suite: data.details?.type === 'suite',
      passed: type === 'test:pass',
      // A reason may be missing: `skip: true` comes as true or as an empty string.
      skipped: reason === undefined || reason === false ? null : String(reason),
      ms: Math.round(data.details?.duration_ms ?? 0),
      failure: data.details?.error?.failureType ?? null,
      error: type === 'test:fail' ? told(data.details?.error) : '',
      line: inTestFile(data.file) ? data.line ?? null : null,
    };
    yield `${MARK}${JSON.stringify(line)}\n`;
  }
}
