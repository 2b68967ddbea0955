/* apart-rtc: runs in a page before its own scripts; keeps persons 0 and 2 from each other, as
 * networks do: each says in its descriptions who it is, and of the other takes no candidate. */

(() => {
  const PERSONS = [0x51, 0x73];
  const name = (id) => `klatch-${id}`;
  const mine = globalThis.klatchIdentity.id;
  const others = PERSONS.includes(mine) ? PERSONS.filter((id) => id !== mine).map(name) : [];
  let apart = true;

  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    #from = '';

    get localDescription() {
      const description = super.localDescription;
      return description && { type: description.type, sdp: description.sdp.replace('\r\ns=-\r\n', `\r\ns=${name(mine)}\r\n`) };
    }

    get #cut() {
      return apart && others.includes(this.#from);
    }

    setRemoteDescription({ type, sdp }) {
      this.#from = /\r\ns=(.*)\r\n/.exec(sdp)[1];
      return super.setRemoteDescription({ type, sdp: this.#cut ? sdp.replace(/a=candidate:.*\r\n/g, '') : sdp });
    }

    async addIceCandidate(candidate) {
      if (!this.#cut) await super.addIceCandidate(candidate);
    }
  };

  globalThis.klatchApart = (on) => {
    apart = on;
  };
})();
