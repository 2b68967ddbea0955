/* mailbox: members without browsers at a fake server, for tests of signaling. */

import { FakeLocks, FakeStorage, until } from './browserish.mjs';
import { FakeServer } from './fake-server.mjs';
import { environment } from '../../../public_html/klatch/env.js';
import { Session } from '../../../public_html/klatch/session.js';
import { Signaling } from '../../../public_html/klatch/signaling.js';
import { Ticket } from '../../../public_html/klatch/ticket.js';

/** A server of one test's own, with everything at it ended after the test. */
export async function serverFor(t, clocks) {
  const server = await new FakeServer(clocks).start();
  t.after(() => server.stop());
  return server;
}

/**
 * One tab's visit to a room. What it hears lies in `heard`, messages by [type, data].
 * @param {object} options the same storage and locks for a reload
 */
export function visit(t, server, options = {}) {
  const { room = 'tea', meta = {}, token, storage = new FakeStorage(), locks = new FakeLocks(), ...more } = options;
  const page = new EventTarget();
  const beacons = [];
  const beacon = (url, body) => {
    beacons.push({ url, body });
    void fetch(url, { method: 'POST', body }).catch(() => {});
    return true;
  };
  const env = environment({ page, channel: () => null, storage, locks, beacon, ...more });
  const session = new Session({ storage, locks, name: `klatch ${room}` });
  const signaling = new Signaling({ env, api: server.api, room, meta: () => meta, session, ticket: new Ticket(token) });
  const heard = { messages: [], seqs: [], states: [], gaps: [], rejoined: [], problems: [], ended: [] };
  signaling.on('message', ({ detail }) => {
    heard.seqs.push(detail.seq);
    if (detail.from !== null) heard.messages.push([detail.type, detail.data]);
  });
  signaling.on('state', ({ detail }) => heard.states.push(detail));
  signaling.on('gap', ({ detail }) => heard.gaps.push(detail.peers.map(({ peer }) => peer)));
  signaling.on('rejoined', ({ detail }) => heard.rejoined.push(detail));
  signaling.on('problem', ({ detail }) => heard.problems.push(detail.code));
  signaling.on('ended', ({ detail }) => heard.ended.push(detail.code));
  t.after(() => signaling.leave());
  return { signaling, heard, page, beacons, storage, locks, session };
}

/** A visit that has joined and holds its poll. */
export async function present(t, server, options) {
  const guest = visit(t, server, options);
  guest.listed = await guest.signaling.join();
  guest.signaling.start();
  const room = server.room(options?.room ?? 'tea');
  await until('the poll is held', () => room.members.get(guest.signaling.peer)?.turn > 0);
  return guest;
}

/** The requests of a kind that the server has seen: 'poll', 'send', 'join' or 'leave'. */
export function requests(server, kind) {
  return server.requests.filter(({ path, body }) => {
    if (kind === 'poll') return path.endsWith('/exchange') && 'after' in body;
    if (kind === 'send') return path.endsWith('/exchange') && 'send' in body;
    return path.endsWith(`/${kind}`);
  });
}
