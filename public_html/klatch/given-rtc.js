/* given-rtc: a WebRTC implementation that was handed in, as for Node, made to act where it lacks what
 * every browser does: it asks for a negotiation, and describes itself without being told as what. */

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

    /** @param {RTCConfiguration} configuration */
    constructor(configuration) {
      super(configuration);
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
      return described(super.localDescription);
    }

    get remoteDescription() {
      return described(super.remoteDescription);
    }

    /** @param {RTCSessionDescriptionInit} description */
    async setRemoteDescription(description) {
      await super.setRemoteDescription(description);
      this.#offered = description.type === 'offer';
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
