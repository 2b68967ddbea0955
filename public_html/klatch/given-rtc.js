/* given-rtc: a WebRTC implementation that was handed in, as for Node, made to act where it lacks what
 * every browser does: it asks for a negotiation, and describes itself without being told as what.
 *
 * Who offers tells its candidates when it has the answer, and not before. libdatachannel begins DTLS as
 * soon as there is a path, and refuses the other side where it hasn't yet noted the fingerprint of the
 * answer that it is reading: a browser that knows the candidates makes the path in that very moment.
 * Once there is an answer, and its fingerprint noted, either side's candidates are early enough. */

/**
 * @param {{RTCPeerConnection: any}} given
 * @returns {typeof RTCPeerConnection}
 */
export function actAsBrowser({ RTCPeerConnection: Given }) {
  const acting = class extends Given {
    /** Whether it is known that a negotiation is asked for, or was. */
    #asked = false;
    /** Whether the other side's offer is the last word. */
    #offered = false;
    /** Own candidates until there is the other side's description, null from then on. @type {(RTCIceCandidate | null)[] | null} */
    #held = [];

    /** @param {RTCConfiguration} configuration */
    constructor(configuration) {
      super(configuration);
      // The first listener of all.
      this.addEventListener('icecandidate', (/** @type {RTCPeerConnectionIceEvent} */ event) => {
        if (this.#held === null) return;
        event.stopImmediatePropagation();
        this.#held.push(event.candidate);
      });
      this.addEventListener('negotiationneeded', () => {
        this.#asked = true;
      });
    }

    /**
     * @param {string} label
     * @param {RTCDataChannelInit} init
     */
    createDataChannel(label, init) {
      const channel = super.createDataChannel(label, init);
      setTimeout(() => {
        if (!this.#asked && this.connectionState !== 'closed') this.dispatchEvent(new Event('negotiationneeded'));
      }, 0);
      return channel;
    }

    get localDescription() {
      const own = described(super.localDescription);
      return own && this.#held ? withoutCandidates(own) : own;
    }

    get remoteDescription() {
      return described(super.remoteDescription);
    }

    /** @param {RTCSessionDescriptionInit} description */
    async setRemoteDescription(description) {
      await super.setRemoteDescription(description);
      this.#offered = description.type === 'offer';
      const held = this.#held ?? [];
      this.#held = null;
      for (const candidate of held) this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate }));
    }

    /** @param {RTCSessionDescriptionInit} [description] */
    async setLocalDescription(description) {
      const own = description ?? await (this.#offered ? this.createAnswer() : this.createOffer());
      this.#offered = false;
      await super.setLocalDescription(own);
    }
  };
  return /** @type {any} */ (acting);
}

/**
 * @param {RTCSessionDescription | null} description
 * @returns {RTCSessionDescription | null} null where nothing is described yet
 */
function described(description) {
  return description?.sdp ? description : null;
}

/**
 * @param {RTCSessionDescription} description
 * @returns {RTCSessionDescription}
 */
function withoutCandidates({ type, sdp }) {
  return /** @type {RTCSessionDescription} */ ({ type, sdp: sdp.replace(/^a=(candidate:|end-of-candidates).*\r?\n/gm, '') });
}
