// Somebody who is in a room from Node, without a browser, and does what a test says on a channel:
// `node node-person.mjs API ROOM NAME`. It answers each request with what it was asked, and says each
// message back to all; the message 'leave' makes it leave, and with nothing left to do it ends.
import * as webrtc from 'node-datachannel/polyfill';
import { joinRoom } from '../../../public_html/klatch/index.js';

const [api, room, name] = process.argv.slice(2);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const joined = await joinRoom({ api, room, name, webrtc });
joined.on('problem', ({ detail }) => say(['problem', detail.problem.code]));
joined.on('peer-updated', ({ detail: { person } }) => say(['state', person.name, person.state]));
joined.on('message', ({ detail: { message } }) => message.mine || say(['line', message.text]));
const channel = await joined.channel('test');
channel.on('open', ({ detail }) => say(['open', detail.person.name]));
channel.on('request', ({ detail: { data, answer } }) => answer({ echo: data, bytes: data?.length ?? 0 }));
channel.on('message', async ({ detail: { person, data } }) => {
  say(['message', person.name, data instanceof Uint8Array ? [...data] : data]);
  if (data !== 'leave') {
    channel.send(data);
    return;
  }
  const answer = await channel.request(person, 'may I go');
  say(['answer', answer]);
  joined.say('bye');
  await joined.leave();
  say(['left']);
});
say(['joined', joined.people.map((person) => person.name)]);
