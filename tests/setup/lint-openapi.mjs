// `make lint-openapi`: Redocly's rules for an OpenAPI description, those for what deserves a better look
// among them. What it complains of goes to the standard output, and the status is 1 then.
import core from '@redocly/openapi-core';

const config = await core.createConfig({ extends: ['recommended-strict'], telemetry: 'off' });
const problems = await core.lint({ ref: process.argv[2], config });
for (const { ruleId, message, location: [at] } of problems) {
  const { line, col } = core.getLineColLocation(at).start ?? {};
  process.stdout.write(`${process.argv[2]}:${line ?? 0}:${col ?? 0}: ${message.replace(/\s+/g, ' ')} (${ruleId}) ${at.pointer ?? ''}\n`);
}
process.exitCode = problems.length ? 1 : 0;
