/* problem: everything that can go wrong, as one class with a stable code and a
 * sentence for people that says what to do. */

/** @type {Record<string, string>} */
const SENTENCES = {
  // From the network and from hosts that answer in Klatch's place.
  network: 'The server could not be reached. Check the connection and try again.',
  timeout: 'The server took too long to answer. Try again in a moment.',
  'not-klatch': 'Something other than Klatch answered. Check the address of the API, or try again in a moment.',
  aborted: 'Cancelled.',
  'not-loaded': 'A part of this page could not be loaded. It is tried again; reload the page if that does not help.',
  // From the room API.
  'invalid-request': 'The server did not understand this page. Reload it to get the current version.',
  'bad-cursor': 'The server did not understand this page. Reload it to get the current version.',
  'key-invalid': 'This visit has ended. Join the room again.',
  'token-invalid': 'This invitation is not valid here. Ask for a new one.',
  'token-expired': 'This invitation has expired. Ask for a new one.',
  'token-early': 'This invitation is not valid yet. Try again later.',
  'token-missing': 'This room needs an invitation. Ask for one.',
  'token-other-room': 'This invitation is for another room. Ask for one for this room.',
  'token-failed': 'The invitation could not be fetched. Try again in a moment.',
  'not-permitted': 'That is not allowed in this room.',
  banned: 'You were removed from this room and cannot join it again.',
  'password-missing': 'This room has a password. Ask for it.',
  'password-wrong': 'That is not the password of this room. Try again.',
  refused: 'You were not let in.',
  'room-not-found': 'There is no such room any more. Join again to open it.',
  'peer-not-found': 'That person is not in the room any more.',
  'not-found': 'There is no Klatch API at this address. Check how it was installed.',
  'method-not-allowed': 'The server did not understand this page. Reload it to get the current version.',
  'room-full': 'The room is full. Wait until somebody leaves, or open another room.',
  'session-expired': 'This visit has ended. Join the room again.',
  'room-closed': 'The room was closed.',
  kicked: 'You were removed from this room.',
  'message-too-large': 'The message is too large to be sent.',
  'unsupported-type': 'The server did not understand this page. Reload it to get the current version.',
  'room-locked': 'The room is locked. Ask somebody inside to open it.',
  'rate-limited': 'Too many requests from your network. Wait a minute and try again.',
  busy: 'The server is busy. Try again in a moment.',
  'mailbox-full': 'The room has too much mail waiting. Try again in a minute.',
  'disk-full': 'The server has no room left to store anything. Tell who runs it.',
  misconfigured: 'The server is not set up right. Tell who runs it.',
  // From another tab of this browser.
  'in-another-tab': 'Your call in this room runs in another tab. Take it over, or join as another person.',
  // From links and arguments.
  'bad-link': 'This link is incomplete or mistyped. A room is 1 to 64 letters, digits, - or _.',
  'sealed-insecure': 'A sealed room needs a secure page. Open this page with https://.',
  'seal-broken': 'Something that came for you was changed on the way, and was thrown away.',
  'seal-other-key': 'The server says that somebody here has another key now. It is not believed.',
  'seal-other-fingerprint': 'Somebody may be trying to get between two of you. What was offered was refused.',
  'bad-message': 'A message has 1 to 4,000 characters. Shorten it and send it again.',
  'too-long-to-mail': 'Where there is no connection, a message has at most 4,096 bytes. Send it in shorter pieces.',
  'data-only': 'This room was joined for data alone. Join it without that to use DEVICE.',
  'no-webrtc': 'This browser cannot make video calls. Use a current Firefox, Chrome, Edge or Safari.',
  // From microphone and camera; DEVICE stands for what was asked for.
  'permission-denied': 'Klatch may not use your DEVICE. Allow it beside the address bar, then turn it on again.',
  'no-device': 'No DEVICE was found. Plug one in and turn it on, or go on without.',
  'device-busy': 'Your DEVICE is in use by another program or does not start. Close that one, then turn it on again.',
  'device-lost': 'Your DEVICE was disconnected. Plug it in and turn it on again, or choose another.',
  'screen-refused': 'The system does not let this browser share the screen. Allow it in its privacy settings.',
  'screen-failed': 'The screen could not be shared. Try again, or choose a window instead.',
  'insecure-context': 'Browsers give microphone and camera to https pages only. Open this page with https://.',
};

/** The server doesn't know this member any more: join again. */
export const GONE = new Set(['key-invalid', 'session-expired', 'room-not-found', 'bad-cursor']);
/** Joining again would be refused too. */
export const FINAL = new Set(['kicked', 'banned', 'refused', 'room-closed', 'password-missing', 'password-wrong',
  'token-invalid', 'token-expired', 'token-early', 'token-missing', 'token-other-room',
  'room-locked', 'not-permitted', 'not-found', 'method-not-allowed']);

/** @type {Record<string, string>} */
const DEVICES = { audio: 'microphone', video: 'camera', both: 'microphone and camera' };

/** An operating error that a person can read. `code` is stable, `message` is not. */
export class KlatchProblem extends Error {
  /**
   * @param {string} code
   * @param {{sentence?: string, status?: number, detail?: string, kind?: 'audio' | 'video' | 'both',
   *   transient?: boolean, retryMs?: number, cause?: unknown}} [more]
   */
  constructor(code, more = {}) {
    const sentence = more.sentence ?? SENTENCES[code] ?? more.detail ?? `Something went wrong (${code}). Try again.`;
    super(sentence.replace('DEVICE', DEVICES[more.kind ?? 'both'] ?? 'device'), { cause: more.cause });
    this.name = 'KlatchProblem';
    /** A stable word, the API's own where the server said it. */
    this.code = code;
    /** The HTTP status, 0 where there was none. */
    this.status = more.status ?? 0;
    /** What the server said in its own words, for logs. */
    this.detail = more.detail ?? '';
    /** Which device, for the codes about devices. */
    this.kind = more.kind ?? null;
    /** Whether the same request may succeed later. */
    this.transient = more.transient ?? false;
    /** How long the server asked to wait before that, in ms. */
    this.retryMs = more.retryMs ?? 0;
  }
}

/**
 * For what catches operating errors alone.
 * @param {unknown} error
 * @returns {KlatchProblem}
 * @throws what is none
 */
export function asProblem(error) {
  if (error instanceof KlatchProblem) return error;
  throw error;
}
