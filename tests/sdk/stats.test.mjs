/* Readings from browsers' reports. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Meter } from '../../public_html/klatch/stats.js';

const report = (seconds, more = {}) => new Map(Object.entries({
  codec: { type: 'codec', mimeType: 'video/VP8' },
  source: { type: 'media-source', framesPerSecond: 20 },
  out: {
    type: 'outbound-rtp', kind: 'video', mid: '1', codecId: 'codec', mediaSourceId: 'source', frameWidth: 480,
    frameHeight: 360, bytesSent: seconds * 50_000, headerBytesSent: seconds * 2_000, packetsSent: seconds * 100,
    framesEncoded: seconds * 15, totalEncodeTime: seconds * 0.25, qualityLimitationReason: 'bandwidth', targetBitrate: 450_000,
  },
  remote: { type: 'remote-inbound-rtp', kind: 'video', packetsLost: seconds * 4, roundTripTime: 0.08,
    roundTripTimeMeasurements: seconds },
  in: {
    type: 'inbound-rtp', kind: 'audio', mid: '0', bytesReceived: seconds * 4_000, packetsReceived: seconds * 45,
    packetsLost: seconds * 5, concealedSamples: seconds * 4_800, totalSamplesReceived: seconds * 48_000,
  },
  transport: { type: 'transport', selectedCandidatePairId: 'pair' },
  pair: { type: 'candidate-pair', localCandidateId: 'mine', remoteCandidateId: 'theirs', currentRoundTripTime: 0.09,
    responsesReceived: seconds },
  mine: { type: 'local-candidate', candidateType: 'host' },
  theirs: { type: 'remote-candidate', candidateType: 'srflx' },
  ...more,
}).map(([id, one]) => [id, { id, timestamp: 1_000 * seconds, ...one }]));

function reading(more) {
  const meter = new Meter();
  meter.read(report(10));
  return meter.read(report(12, more));
}

describe('a reading', () => {
  it('tells rates between two reports', () => {
    const { up, down, lossUp, lossDown, rttMs, sends, receives } = reading();
    assert.equal(up, 416_000);
    assert.equal(down, 32_000);
    assert.equal(lossUp, 0.04);
    assert.equal(lossDown, 0.1);
    assert.equal(rttMs, 80);
    assert.deepEqual(sends, [{ kind: 'video', mid: '1', codec: 'VP8', width: 480, height: 360, bits: 416_000, fps: 15,
      busy: 0.25, source: 20, limitedBy: 'bandwidth', target: 450_000 }]);
    assert.equal(receives[0].concealed, 0.1);
  });

  it('has no rates the first time', () => {
    const { up, lossUp, sends } = new Meter().read(report(10));
    assert.deepEqual([up, lossUp, sends[0].fps], [0, null, 0]);
  });

  it('has no rates below nothing when a new connection begins to count anew', () => {
    const meter = new Meter();
    meter.read(report(100));
    const { up, down, lossUp } = meter.read(new Map([...report(1)].map(([id, one]) => [id, { ...one, timestamp: 101_000 }])));
    assert.deepEqual([up, down], [0, 0]);
    assert.ok(lossUp === null || (lossUp >= 0 && lossUp <= 1));
  });

  it('takes the shortest round trip, and only one that is new', () => {
    const meter = new Meter();
    meter.read(report(10));
    const old = { remote: { type: 'remote-inbound-rtp', roundTripTime: 0.03, roundTripTimeMeasurements: 10 } };
    const { rttMs, rttNew } = meter.read(report(12, old));
    assert.deepEqual([rttMs, rttNew], [90, true]);
    const none = meter.read(report(12, old));
    assert.deepEqual([none.rttMs, none.rttNew], [90, false]);
  });

  it('tells direct from relayed', () => {
    assert.equal(reading().path, 'direct');
    assert.equal(reading({ mine: { type: 'local-candidate', candidateType: 'relay' } }).path, 'relayed');
  });

  it('finds the path where the report has no transport', () => {
    const firefox = { transport: { type: 'x' }, pair: { type: 'candidate-pair', nominated: true, state: 'succeeded',
      localCandidateId: 'mine', remoteCandidateId: 'theirs' } };
    assert.equal(reading(firefox).path, 'direct');
    assert.equal(reading({ transport: { type: 'x' }, pair: { type: 'x' } }).path, null);
  });

  it('of a connection without anything is empty, not wrong', () => {
    const { up, down, rttMs, lossUp, lossDown, path, sends, receives } = new Meter().read(new Map());
    assert.deepEqual([up, down, rttMs, lossUp, lossDown, path, sends, receives], [0, 0, null, null, null, null, [], []]);
  });
});
