/* talk: everything that is written in a room: lines to everybody or to one person, who is
 * writing, and what was said before somebody came. The latter two are loaded when somebody
 * is there. */

import { Chat, fitsMail } from './chat.js';
import { KlatchProblem } from './problem.js';
import { Later, loadPart } from './later.js';
import { NAME_CHARACTERS_MAX } from './member.js';

/** As many as a newcomer is told. */
const KEPT_MAX = 200;

/** @typedef {import('./chat.js').Message} Message */
/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./member.js').Person} Person */

/**
 * @typedef {object} TalkEvents what it tells its room
 * @property {{message: Message}} message
 * @property {{problem: KlatchProblem}} problem
 * @property {{messages: Message[], by: Person}} before
 * @property {{writers: {person: Person, private: boolean}[]}} writing
 */

/**
 * @typedef {object} Around
 * @property {() => {id: string, name: string}} self
 * @property {() => Member[]} members everybody else, in the order of joining
 * @property {(member: Member) => boolean} earlier whether somebody was here before us
 * @property {(member: Member, type: string, body: object) => void} mail by the mailbox
 * @property {(type: keyof TalkEvents, detail: any) => void} emit
 */

export class Talk {
  #around;
  #chat = new Chat();
  /** What was said to everybody, private lines never. @type {Map<string, import('./before.js').Said>} */
  #said = new Map();
  #more;

  /**
   * @param {Around} around
   * @param {(problem: KlatchProblem) => void} failed when a part can't be loaded
   */
  constructor(around, failed) {
    this.#around = around;
    this.#more = new Later(async () => {
      const [{ Before }, { Writing }] = await Promise.all([
        loadPart(() => import('./before.js'), 'talk'), loadPart(() => import('./writing.js'), 'talk')]);
      return {
        before: new Before({ ...around, lines: this.#said, nameMax: NAME_CHARACTERS_MAX }),
        writing: new Writing((writers) => around.emit('writing', { writers })),
      };
    }, failed);
  }

  /**
   * @param {string} text
   * @param {Person | null} to null is everybody who is here now
   * @returns {Message} which is also told
   * @throws {KlatchProblem} bad-message; peer-not-found when that person is gone
   */
  say(text, to) {
    const { receivers, only } = this.#whom(to);
    const line = this.#chat.compose(text, only !== null);
    for (const member of receivers) {
      this.#chat.send(member, line);
      this.updated(member);
    }
    const { id, name } = this.#around.self();
    const message = { id: line.id, from: id, name, text: line.text, time: line.time, mine: true, plain: false,
      private: only !== null, to, toName: to?.name ?? '', before: false,
      detours: receivers.flatMap((member) => (member.way || fitsMail(line) ? detourOf(member) : [])) };
    this.#more.tellIfWanted(({ writing }) => writing.sent());
    this.#tell(message);
    return message;
  }

  /**
   * @param {boolean} on
   * @param {Person | null} to
   */
  writing(on, to) {
    const { receivers, only } = this.#whom(to);
    this.#more.tell((more) => more.writing.tell(on, receivers, only));
  }

  /** @param {Member} member to whom there may be no path now: text goes by the mailbox then */
  updated(member) {
    if (member.person.state !== 'no-path' || member.instance === null || member.way) return;
    const { lines, tooLong } = this.#chat.toMail(member);
    for (const line of lines) this.#around.mail(member, 'chat', line);
    if (tooLong) this.#around.emit('problem', { problem: new KlatchProblem('too-long-to-mail') });
  }

  /** @param {Member} member whose channel is open (again) */
  opened(member) {
    this.#chat.resend(member, member.way !== null);
    if (!member.way) this.#more.tell(({ before }) => before.opened(member));
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value
   * @returns {boolean} whether it was about text
   */
  heard(member, value) {
    switch (value.t) {
      case 'chat':
        member.say({ t: 'got', id: value.id });
        this.#received(member, this.#chat.receive(member, value, false, detourOf(member)));
        return true;
      case 'got':
        this.#chat.confirmed(member, value.id);
        return true;
      case 'writing':
        this.#more.tell(({ writing }) => writing.heard(member, value));
        return true;
      case 'before?':
        this.#more.tell(({ before }) => before.answer(member));
        return true;
      case 'before':
        this.#more.tell(({ before }) => this.#handed(member, before.take(member, value.lines)));
        return true;
      default:
        return false;
    }
  }

  /**
   * A line that came by mailbox.
   * @param {Member} member
   * @param {{seq: number, to?: string | null}} mail
   * @param {any} value
   * @param {boolean} plain written by hand, so that the addressee alone tells whether it is private
   */
  mailed(member, { seq, to }, value, plain) {
    const line = typeof value === 'string' ? { text: value } : value;
    const whole = { id: `mail-${seq}`, ...line, ...(plain ? { private: typeof to === 'string' } : {}) };
    const detours = member.instance === null ? [] : [{ person: member.person, via: null }];
    this.#received(member, this.#chat.receive(member, whole, plain, detours));
  }

  /** @param {Member} member who is gone */
  forget(member) {
    this.#chat.forget(member);
    this.#more.tellIfWanted(({ writing, before }) => {
      writing.stopped(member);
      before.forget(member);
    });
  }

  close() {
    this.#more.close(({ writing, before }) => {
      writing.close();
      before.close();
    });
  }

  /**
   * @param {Member} member
   * @param {Message | null} message
   */
  #received(member, message) {
    // What was handed to us before its sender's own line came isn't shown twice.
    if (!message || this.#said.has(message.id)) return;
    this.#more.tellIfWanted(({ writing }) => writing.stopped(member));
    this.#tell(message);
  }

  /** @param {Message} message */
  #tell(message) {
    if (!message.private) this.#keep(message);
    this.#around.emit('message', { message });
  }

  /** @param {Message} message */
  #keep({ id, name, text, time }) {
    this.#said.set(id, { id, name, text, time });
    if (this.#said.size > KEPT_MAX) this.#said.delete(this.#said.keys().next().value ?? '');
  }

  /**
   * @param {Member} member
   * @param {import('./before.js').Said[]} lines
   */
  #handed(member, lines) {
    if (lines.length === 0) return;
    const messages = lines.map((line) => ({ ...line, from: '', mine: false, plain: false, private: false, to: null,
      toName: '', before: true, detours: [] }));
    this.#around.emit('before', { messages, by: member.person });
  }

  /** @param {Person | null} to */
  #whom(to) {
    const members = this.#around.members();
    if (to === null) return { receivers: members, only: null };
    const only = members.find(({ person }) => person === to);
    if (!only) throw new KlatchProblem('peer-not-found');
    return { receivers: [only], only };
  }
}

/**
 * @param {Member} member
 * @returns {import('./chat.js').Detour[]}
 */
function detourOf({ person, instance }) {
  return person.state === 'no-path' && instance !== null ? [{ person, via: person.via }] : [];
}
