/* A WebRTC implementation that is handed in, and what it is made to do. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { actAsBrowser } from '../../public_html/klatch/given-rtc.js';

const SDP = 'v=0\r\na=ice-ufrag:u\r\na=candidate:1 1 UDP 1 192.0.2.2 4000 typ host\r\na=end-of-candidates\r\na=mid:0\r\n';
const BARE = 'v=0\r\na=ice-ufrag:u\r\na=mid:0\r\n';

/** As much of one as tells its candidates as soon as it is there. */
class Given extends EventTarget {
  finds(...candidates) {
    for (const candidate of candidates) this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate }));
  }
}

/** One of these, in the SDK's hands: what it tells lies in `told`. */
function connection() {
  const given = class extends Given {
    #local = null;

    get localDescription() {
      return this.#local;
    }

    async createOffer() {
      return { type: 'offer', sdp: SDP };
    }

    async createAnswer() {
      return { type: 'answer', sdp: SDP };
    }

    async setLocalDescription(description) {
      this.#local = description;
    }

    async setRemoteDescription({ sdp }) {
      if (sdp === 'odd') throw new Error('OperationError');
    }
  };
  const pc = new (actAsBrowser({ RTCPeerConnection: given }))({});
  const told = [];
  pc.addEventListener('icecandidate', ({ candidate }) => told.push(candidate));
  return { pc, told };
}

test('who offers tells its candidates when the answer is taken, in their order, and later ones at once', async () => {
  const { pc, told } = connection();
  pc.finds('first');
  await pc.setLocalDescription();
  pc.finds('second', null);
  assert.deepEqual(pc.localDescription, { type: 'offer', sdp: BARE });
  await assert.rejects(pc.setRemoteDescription({ type: 'answer', sdp: 'odd' }));
  assert.deepEqual(told, []);
  await pc.setRemoteDescription({ type: 'answer', sdp: SDP });
  assert.deepEqual(told, ['first', 'second', null]);
  pc.finds('third');
  assert.deepEqual(told, ['first', 'second', null, 'third']);
});

test('who answers tells its candidates with the answer', async () => {
  const { pc, told } = connection();
  await pc.setRemoteDescription({ type: 'offer', sdp: SDP });
  await pc.setLocalDescription();
  pc.finds('first');
  assert.deepEqual(told, ['first']);
  assert.deepEqual(pc.localDescription, { type: 'answer', sdp: SDP });
});
