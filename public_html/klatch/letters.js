/* letters: what goes through the room's mailbox: opened, read in order, and given to whom it concerns. */

import { KEY_LETTER } from './carrying.js';

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./types.js').Listed} Listed */
/** @typedef {import('./types.js').Mail} Mail */

export class Letters {
  #post;
  #signaling;
  #roster;
  #around;

  /**
   * @param {object} parts
   * @param {import('./post.js').Post} parts.post
   * @param {import('./signaling.js').Signaling} parts.signaling
   * @param {import('./roster.js').Roster} parts.roster
   * @param {object} parts.around
   * @param {() => boolean} parts.around.over whether this page has left
   * @param {(type: string, data: any) => void} parts.around.alert the server says what who rests should know at once
   * @param {(type: string, data: any) => void} parts.around.house the server's own word, in its turn
   * @param {(member: Member, mail: Mail, value: any, plain: boolean) => void} parts.around.chat
   * @param {(member: Member, value: any) => void} parts.around.key theirs for what others pass on
   * @param {(member: Member) => void} parts.around.broken what came from them could not be opened
   */
  constructor({ post, signaling, roster, around }) {
    this.#post = post;
    this.#signaling = signaling;
    this.#roster = roster;
    this.#around = around;
  }

  /**
   * @param {Member} member
   * @param {string} type
   * @param {unknown} body
   */
  write(member, type, body) {
    this.#post.write(() => this.#signaling.peer, member, type, body, (to, word, data) => {
      if (this.#roster.has(member)) this.#signaling.send(to, word, data);
    });
  }

  /** @param {Mail} mail */
  take(mail) {
    const { from, type, data } = mail;
    const self = this.#signaling.peer;
    if (from === null) this.#around.alert(type, data);
    void this.#post.inOrder(() => {
      if (this.#around.over()) return undefined;
      return from === null ? this.#news(type, data) : this.#open(self, from, mail);
    });
  }

  /**
   * The members are these.
   * @param {Listed[]} listed
   * @param {boolean} earlier
   */
  reconcile(listed, earlier) {
    return this.#post.inOrder(async () => {
      const read = await this.#post.read(listed);
      if (!this.#around.over()) this.#roster.reconcile(read, earlier);
    });
  }

  /**
   * The server's own word.
   * @param {string} type
   * @param {any} data
   */
  async #news(type, data) {
    this.#around.house(type, data);
    if (type === 'peer-left') this.#roster.went(data);
    if (type !== 'peer-joined' && type !== 'peer-updated') return;
    for (const listed of await this.#post.read([data ?? {}])) this.#roster.came(listed);
  }

  /**
   * @param {string} self our id when it came
   * @param {string} from
   * @param {Mail} mail
   */
  async #open(self, from, mail) {
    const member = this.#roster.find(from);
    if (!member) return;
    const opened = await this.#post.open(self, member, mail.type, mail.data)
      .catch(() => this.#around.broken(member));
    if (!opened || !this.#roster.has(member)) return;
    const { type, value, plain } = opened;
    if (type === 'chat') this.#around.chat(member, mail, value, plain);
    else if (type === KEY_LETTER) this.#around.key(member, value);
    else member.receive(type, value);
  }
}
