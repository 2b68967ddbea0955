// Two people meet on the page that a web server serves: real browsers, from the link to the picture.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { Participant, launch, pairs } from '../../browser/lib/participant.mjs';
import { newRoom } from '../../integration/lib/api.mjs';
import { it } from '../../integration/lib/it.mjs';

/**
 * @param {string} name of the server
 * @param {() => Promise<import('./web-server.mjs').WebServer>} start
 */
export function callSuite(name, start) {
  describe(`the page on ${name}`, () => {
    let server;
    let browser;
    before(async () => {
      server = await start();
      browser = await launch();
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    it('lets two see each other', () => meet(browser, server.page));

    it('serves embed.html for frames of other sites, and by its headers nothing else', async () => {
      const policy = async (file) => {
        const answer = await fetch(new URL(file, `${server.page.replace(/\/?$/, '/')}`));
        assert.equal(answer.status, 200, file);
        return answer.headers.get('content-security-policy');
      };
      assert.doesNotMatch(await policy('embed.html') ?? '', /frame-ancestors/);
      // Apache's recipes set no headers: there the page itself refuses.
      for (const file of ['index.html', 'doctor.html']) assert.match(await policy(file) ?? "frame-ancestors 'self'", /frame-ancestors 'self'/);
    });
  });
}

/** Two come to a new room of the page, see each other move, and read what the other writes. */
export async function meet(browser, page) {
  const room = newRoom('call');
  const people = [];
  try {
    for (const number of [0, 1]) people.push(await Participant.open(browser, page, room, number));
    await Promise.all(people.map((one) => one.join()));
    const [ada, bob] = people;
    await Promise.all([ada.connectedTo([bob]), bob.connectedTo([ada])]);
    await Promise.all(pairs(people).map(([one, other]) => one.seesMoving(other)));
    for (const one of people) assert.deepEqual(one.errors, []);
  } catch (error) {
    error.message += `\n${people.map((one) => `${one.name}: ${[...one.errors, ...one.log].join('; ')}`).join('\n')}`;
    throw error;
  } finally {
    await Promise.all(people.map((one) => one.close()));
  }
}
