// Single requests: what an empty handler's costs, and plain CGI beside an empty static program.
import { generate } from '../lib/generate.mjs';
import { Member } from '../lib/member.mjs';

const HEALTH = '/api/v1/health';
const CONNECTIONS = 16;

export const emptyRequest = {
  name: 'empty',
  run: async (system, { samples }) => ({
    alone: await generate({ ...system, protocol: 'rendezvous' }, {
      workload: 'request', path: HEALTH, samples, warm: 300, seconds: 10,
    }),
    crowded: await generate({ ...system, protocol: 'rendezvous' }, {
      workload: 'request', path: HEALTH, samples: samples * 5, warm: 300, concurrency: CONNECTIONS, pauseUs: 0, seconds: 10,
    }),
  }),
};

export const cgiRequests = {
  name: 'cgi',
  run: async (system, { samples }) => {
    const base = `http://127.0.0.1:${system.port}/klatch.cgi`;
    const [ada, bob] = [await Member.join(base, 'cgi'), await Member.join(base, 'cgi')];
    await bob.read();
    const same = { workload: 'request', samples, warm: 20, seconds: 20, pauseUs: 1000 };
    const path = '/klatch.cgi/v1/rooms/cgi/exchange';
    const send = [{ id: 'm@@', to: ada.peer, type: 'candidate', data: 'x'.repeat(150) }];
    const result = {};
    // In turn, so that whatever else the machine does meets all three.
    for (const [name, options] of [
      ['empty', { path: '/empty.cgi', body: '{}' }],
      ['poll', { path, body: JSON.stringify({ key: bob.key, after: bob.cursor, wait_ms: 0 }) }],
      ['send', { path, body: JSON.stringify({ key: bob.key, send }) }],
    ]) result[name] = await generate(system, { ...same, ...options });
    return result;
  },
};
