/* types: the shapes that the room API sends, as openapi.yaml describes them. Fields that a
 * member filled in (name, meta, data) are somebody else's words: checked where used. */

/**
 * @typedef {object} Listed a member as the server lists it
 * @property {string} peer
 * @property {string | null} [name]
 * @property {unknown} [meta]
 * @property {number} [joined]
 * @property {Card} [card] what meta says, once it was opened
 */

/**
 * @typedef {object} Card
 * @property {any} value undefined where it can't be read
 * @property {boolean} plain JSON without an envelope: a user of the HTTP API
 * @property {string | null} pub the page's public key in a sealed room
 * @property {'no-secret' | 'other-secret' | 'sealed' | null} outside why no connection can be made:
 *   in a sealed room they came without its secret, or with another; in an open room theirs is sealed
 */

/**
 * @typedef {object} Mail a message in an answer; from is null for the server's own
 * @property {number} seq
 * @property {string | null} from
 * @property {string | null} [to]
 * @property {string} type
 * @property {any} data
 * @property {number} sent_ms
 */

/**
 * @typedef {object} Joined
 * @property {string} peer
 * @property {string} key
 * @property {string} cursor
 * @property {Listed[]} peers
 * @property {RTCIceServer[]} [ice_servers]
 * @property {number} [ice_lifetime_ms] how long their passwords hold
 * @property {string} [sub] whom the token named, with name and role
 * @property {string} [name] what others are told
 * @property {'host' | 'member'} [role]
 * @property {Settings} [settings]
 * @property {string[]} [hosts]
 * @property {Listed[]} [knocking] who waits to be let in, told to hosts
 * @property {boolean} [waiting] a host has to let us in first
 * @property {number} [hosts_present] how many hosts are there to do so
 * @property {{hold_ms: number, lease_ms: number, url?: string, retry_ms?: number}} [poll]
 * @property {{message_bytes?: number}} [limits]
 */

/** @typedef {{locked: boolean, lobby: boolean, password: boolean}} Settings of a room; password: that there is one */
/** @typedef {{settings?: Settings, hosts?: string[], knocking?: Listed[], hosts_present?: number}} House what
 * join tells of the room */

/**
 * @typedef {object} Knocker somebody who waits to be let in
 * @property {string} id
 * @property {string} name as they say, empty where they say none or it can't be read
 * @property {Card['outside']} outside why it can't be read: they came by another link
 */

/**
 * @typedef {object} Exchanged
 * @property {Mail[]} [messages]
 * @property {string} [next]
 * @property {boolean} [more]
 * @property {number} [retry_ms]
 * @property {boolean} [superseded]
 * @property {boolean} [gap]
 * @property {Listed[]} [peers]
 */

/**
 * @typedef {object} Letter a message to be sent; to null is everybody else
 * @property {string} id
 * @property {string} [to]
 * @property {string} type
 * @property {unknown} data
 */

export {};

/** @typedef {import('./member.js').Person} Person */
/** @typedef {import('./chat.js').Message} Message */

/**
 * @typedef {object} RoomEvents
 * @property {{person: Person, already: boolean}} peer-joined already: they were here before this listener was
 * @property {{person: Person, reason: string}} peer-left reason is left, lapsed, replaced or kicked
 * @property {{person: Person}} peer-updated
 * @property {{message: Message}} message also one's own
 * @property {{messages: Message[], by: Person}} before what was said before we came, as that person tells it
 * @property {{writers: {person: Person, private: boolean}[]}} writing who writes now, private to us alone
 * @property {{share: import('./files.js').Share}} file one that is new, or about which something changed
 * @property {{pairs: readonly import('./carry.js').Pair[]}} carrying between whom this page passes on text and files now
 * @property {{settings: Settings}} room-updated settings, or who is a host
 * @property {{people: readonly Knocker[]}} knocking who waits to be let in now, told to hosts
 * @property {{hosts: number}} waiting this page was away too long and has to be let in again; so many hosts are there
 * @property {{state: 'online' | 'away'}} server
 * @property {{problem: import('./problem.js').KlatchProblem}} problem
 * @property {{reason: string}} left this page is out: left, kicked, closed, taken-over (by another tab), or
 *   another problem's code
 */

/**
 * @typedef {object} JoinOptions
 * @property {string} api where the room API is, like '/api/v1'
 * @property {string} room its name, for a sealed room with the secret: name.secret, as in the link
 * @property {string} [name] how others see this person
 * @property {string | null | (() => string | Promise<string>)} [token] what a site has signed for this person and
 *   room, or what fetches a new one: asked at joining, and when this page has to join again. The name in it
 *   goes before `name` where the room isn't sealed
 * @property {string | null} [password] the room's, where it has one
 * @property {(waiting: {hosts: number}) => unknown} [onWaiting] a host was asked to let this person in, and so many
 *   are there; joinRoom settles when that is decided
 * @property {import('./media.js').Media | null} [media] stays the caller's to close; made when something of it is
 *   first turned on, unless told
 * @property {boolean} [data] nothing but text, files and channels: no camera is ever asked for, no media is offered
 *   or taken
 * @property {RTCIceServer[]} [iceServers] instead of the server's
 * @property {AbortSignal} [signal] cancels the joining
 * @property {{RTCPeerConnection: any}} [webrtc] an implementation, where there is no browser's; then `data` is true
 *   unless told
 * @property {boolean} [takeOver] ends the call of this room in another tab, if there is one, and takes its place
 * @property {Storage | null} [storage] where the key for a reload lies; sessionStorage unless told
 * @property {Partial<import('./env.js').Environment>} [env] for tests
 */
