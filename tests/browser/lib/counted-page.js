/* counted-page: runs in a page before its own scripts and counts what outlives an element that
 * is removed: listeners on what stays, timers, requests, connections, sound, devices. */

(() => {
  const listeners = new Map();
  const LASTING = () => [window, document, navigator.mediaDevices, navigator.permissions, window.visualViewport, screen,
    navigator.connection].filter(Boolean);
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const keyOf = (type, options) => `${type} ${Boolean(typeof options === 'object' ? options?.capture : options)}`;

  function drop(target, key, listener) {
    const held = listeners.get(target)?.get(key);
    held?.delete(listener);
  }

  EventTarget.prototype.addEventListener = function add(type, listener, options) {
    const target = this ?? window;
    if (listener && LASTING().includes(target) && !options?.signal?.aborted) {
      const key = keyOf(type, options);
      if (!listeners.has(target)) listeners.set(target, new Map());
      const types = listeners.get(target);
      if (!types.has(key)) types.set(key, new Set());
      types.get(key).add(listener);
      options?.signal?.addEventListener('abort', () => drop(target, key, listener));
      if (options?.once) addEventListener.call(target, type, () => drop(target, key, listener), { once: true });
    }
    return addEventListener.call(this, type, listener, options);
  };
  EventTarget.prototype.removeEventListener = function remove(type, listener, options) {
    drop(this ?? window, keyOf(type, options), listener);
    return removeEventListener.call(this, type, listener, options);
  };

  const intervals = new Set();
  const { setInterval: begin, clearInterval: end } = window;
  window.setInterval = (...options) => {
    const id = begin(...options);
    intervals.add(id);
    return id;
  };
  window.clearInterval = (id) => {
    intervals.delete(id);
    end(id);
  };

  /** How many that a constructor has made have not ended. Held weakly, lest the count keep what it counts. */
  function counted(name, isOver) {
    const made = [];
    const Former = window[name];
    window[name] = class extends Former {
      constructor(...options) {
        super(...options);
        made.push(new WeakRef(this));
      }
    };
    return () => made.filter((one) => one.deref() && !isOver(one.deref())).length;
  }
  const connections = counted('RTCPeerConnection', (one) => one.signalingState === 'closed');
  const sounds = counted('AudioContext', (one) => one.state === 'closed' || one.klatchTest);
  const closedChannels = new WeakSet();
  const { close } = BroadcastChannel.prototype;
  BroadcastChannel.prototype.close = function closeCounted() {
    closedChannels.add(this);
    return close.call(this);
  };
  const channels = counted('BroadcastChannel', (one) => closedChannels.has(one));
  const workers = counted('Worker', () => false);

  const tracks = [];
  const { getUserMedia } = MediaDevices.prototype;
  MediaDevices.prototype.getUserMedia = async function get(wanted) {
    const stream = await getUserMedia.call(this, wanted);
    tracks.push(...stream.getTracks());
    return stream;
  };

  let requests = 0;
  const { fetch } = window;
  window.fetch = async (...options) => {
    requests += 1;
    try {
      return await fetch(...options);
    } finally {
      requests -= 1;
    }
  };

  const held = async () => (await navigator.locks.query()).held.length + (await navigator.locks.query()).pending.length;

  globalThis.klatchCount = async () => ({
    listeners: [...listeners].flatMap(([target, types]) => [...types]
      .flatMap(([key, all]) => (all.size ? [`${target.constructor.name} ${key} ${all.size}`] : []))).sort(),
    intervals: intervals.size, connections: connections(), sounds: sounds(), channels: channels(), workers: workers(),
    devices: tracks.filter(({ readyState }) => readyState === 'live').length, opened: tracks.length, requests, locks: await held(),
  });
})();
