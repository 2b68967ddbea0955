/* counted-rtc: runs in a page before its own scripts; counts what is done with
 * RTCPeerConnections and can do what networks do to them. */

(() => {
  const all = [];
  const told = { made: 0, descriptions: 0 };

  class CountedConnection extends RTCPeerConnection {
    constructor(...options) {
      super(...options);
      told.made += 1;
      all.push(this);
    }

    setLocalDescription(...description) {
      told.descriptions += 1;
      return super.setLocalDescription(...description);
    }
  }
  globalThis.RTCPeerConnection = CountedConnection;

  const living = () => all.filter((pc) => pc.connectionState !== 'closed');

  globalThis.klatchRtc = {
    get made() {
      return told.made;
    },
    get descriptions() {
      return told.descriptions;
    },
    /** What a change of network does. */
    restart: () => living().forEach((pc) => pc.restartIce()),
    /** From now on a channel's messages leave only after a time. */
    lag(ms) {
      const { send } = RTCDataChannel.prototype;
      RTCDataChannel.prototype.send = function sendLater(data) {
        setTimeout(() => this.readyState === 'open' && send.call(this, data), ms);
      };
    },
    /** What each side goes by: [its own, the other's]. */
    paths: () => living().map(({ localDescription, remoteDescription }) => [localDescription, remoteDescription]
      .map(({ sdp }) => /a=ice-ufrag:(.*)/.exec(sdp)[1])),
    stable: () => living().every((pc) => pc.signalingState === 'stable'),
    /** The browser loses its end, and nobody is told. */
    destroy: () => living().forEach((pc) => pc.close()),
    reports: () => Promise.all(living().map((pc) => pc.getStats())),
    async received(kind) {
      let bytes = 0;
      for (const pc of living()) {
        for (const report of (await pc.getStats()).values()) {
          if (report.type === 'inbound-rtp' && report.kind === kind) bytes += report.bytesReceived;
        }
      }
      return bytes;
    },
  };
})();
