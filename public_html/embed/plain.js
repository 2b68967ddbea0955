// What the element tells, as data that can be posted to another window.

export const EVENTS = Object.freeze(['joined', 'peer-joined', 'peer-left', 'message', 'waiting', 'knocking', 'left', 'problem', 'unread',
  'link-changed']);

/** @param {import('../klatch/index.js').Person} person */
const person = ({ id, name, state, mic, cam, screen }) => ({ id, name, state, mic, cam, screen: screen !== null });

/** @param {import('../klatch/types.js').Knocker} who */
const knocker = ({ id, name }) => ({ id, name });

/** @type {Record<string, (detail: any) => object>} */
const table = {
  joined: ({ room }) => ({ room: room.name, self: room.self.id, people: room.people.map(person) }),
  'peer-joined': (detail) => ({ person: person(detail.person) }),
  'peer-left': ({ person: who, reason }) => ({ person: person(who), reason }),
  message({ message: { id, from, name, text, time, mine, private: alone } }) {
    return { message: { id, from, name, text, time, mine, private: alone } };
  },
  knocking: ({ people }) => ({ people: people.map(knocker) }),
  problem({ problem: { code, message, kind, attribute = null } }) {
    return { problem: { code, message, kind, attribute } };
  },
};

/** @param {string} type @param {any} detail of the element's event */
export function plain(type, detail) {
  return table[type]?.(detail) ?? { ...detail };
}
