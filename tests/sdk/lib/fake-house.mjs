/* fake-house: a room of the fake server with hosts, password, lock and lobby. */

import { FakeRoom, Refusal, id } from './fake-server.mjs';

export class FakeHouse extends FakeRoom {
  settings = { locked: false, lobby: false, password: null };
  hosts = new Set();
  knocking = new Map();
  /** Keys of who was removed or refused, and why they are told. */
  out = new Map();
  banned = new Set();

  /** What a member may ask, by the name of the call. */
  decide = {
    settings: ({ key, ...change }) => {
      this.host(key);
      for (const [name, value] of Object.entries(change)) if (name in this.settings) this.settings[name] = value;
      if (!this.settings.lobby) for (const peer of [...this.knocking.keys()]) this.letIn(peer);
      return this.tell();
    },
    admit: ({ key, peer }) => {
      this.host(key);
      if (!this.knocking.has(peer)) throw new Refusal(404, 'peer-not-found');
      this.letIn(peer);
      return {};
    },
    kick: ({ key, peer }) => {
      const host = this.host(key);
      if (peer === host.peer) throw new Refusal(400, 'invalid-request');
      const member = this.knocking.get(peer) ?? this.members.get(peer);
      if (!member) throw new Refusal(404, 'peer-not-found');
      if (this.hosts.has(peer)) throw new Refusal(403, 'not-permitted');
      const waited = this.knocking.delete(peer);
      for (const [one, owner] of this.keys) if (owner.member === member) this.out.set(one, waited ? 'refused' : 'kicked');
      this.drop(member);
      this.post(null, null, waited ? 'peer-withdrew' : 'peer-left', { peer, reason: waited ? 'refused' : 'kicked' });
      return {};
    },
    host: ({ key, peer }) => {
      const host = this.host(key);
      if (!this.members.has(peer)) throw new Refusal(404, 'peer-not-found');
      this.hosts.delete(host.peer);
      this.hosts.add(peer);
      for (const { peer: one, meta } of this.knocking.values()) this.post(null, peer, 'peer-knocking', { peer: one, meta });
      return this.tell();
    },
  };

  get told() {
    const { locked, lobby, password } = this.settings;
    return { locked, lobby, password: password !== null };
  }

  tell() {
    const said = { ...this.told, hosts: [...this.hosts] };
    this.post(null, null, 'room-updated', said);
    return said;
  }

  host(key) {
    const member = this.enter(key);
    if (!this.hosts.has(member.peer)) throw new Refusal(403, 'not-permitted');
    return member;
  }

  letIn(peer) {
    const member = this.knocking.get(peer);
    this.knocking.delete(peer);
    this.members.set(peer, member);
    const { meta, name, joined } = member;
    this.post(null, null, 'peer-joined', { peer, ...(name ? { name } : {}), meta, joined });
    this.post(null, peer, 'room-admitted', {});
  }

  enter(key) {
    if (this.out.has(key)) throw new Refusal(this.out.get(key) === 'kicked' ? 410 : 403, this.out.get(key));
    return super.enter(key);
  }

  leave(key, soon) {
    const { member } = this.keys.get(key) ?? {};
    if (!member || soon || !this.knocking.has(member.peer)) {
      super.leave(key, soon);
      if (member && !soon && this.hosts.delete(member.peer)) this.inherit();
      return;
    }
    this.knocking.delete(member.peer);
    this.drop(member);
    this.post(null, null, 'peer-withdrew', { peer: member.peer, reason: 'left' });
  }

  inherit() {
    const [next] = this.members.keys();
    if (next) this.hosts.add(next);
    this.tell();
  }

  /** Whether a newcomer has to wait. */
  check({ password, resume, replaces }) {
    for (const key of [resume, replaces]) if (this.out.has(key)) throw new Refusal(410, this.out.get(key));
    const known = [resume, replaces].some((key) => this.members.has(this.keys.get(key)?.member.peer));
    if (known || this.members.size === 0) return false;
    if (this.keys.has(resume)) return true;
    if (this.settings.locked) throw new Refusal(423, 'room-locked');
    if (this.settings.password !== null) {
      if (password === undefined) throw new Refusal(401, 'password-missing');
      if (password !== this.settings.password) throw new Refusal(403, 'password-wrong');
    }
    return this.settings.lobby;
  }

  join(body) {
    if (this.check(body)) return this.knock(body);
    const answer = super.join(body);
    if (this.hosts.size === 0) this.hosts.add(answer.peer);
    const mine = this.hosts.has(answer.peer);
    const knocking = mine ? { knocking: [...this.knocking.values()].map(({ peer, meta }) => ({ peer, meta })) } : {};
    return { ...answer, role: mine ? 'host' : 'member', settings: this.told, hosts: [...this.hosts], ...knocking };
  }

  knock(body) {
    let { member } = this.keys.get(body.resume) ?? {};
    if (!member) {
      member = this.newcomer(id(), body);
      this.knocking.set(member.peer, member);
      for (const host of this.hosts) this.post(null, host, 'peer-knocking', { peer: member.peer, meta: member.meta });
    }
    member.meta = body.meta;
    const key = id();
    this.keys.set(key, { member, former: false });
    return { peer: member.peer, key, cursor: this.cursor(), waiting: true, hosts_present: this.hosts.size, limits: {},
      poll: { hold_ms: this.clocks.holdMs, lease_ms: this.clocks.leaseMs }, features: [] };
  }

  send(member, letters) {
    if (letters.length > 0 && this.knocking.has(member.peer)) throw new Refusal(403, 'not-permitted');
    return super.send(member, letters);
  }

  /** Who waits is told what is addressed to them alone. */
  after(member, cursor) {
    const answer = super.after(member, cursor);
    if (!this.knocking.has(member.peer)) return answer;
    return { ...answer, messages: answer.messages.filter(({ to }) => to === member.peer) };
  }

  reads(member) {
    return super.reads(member) || this.knocking.has(member.peer);
  }

  /** A poll that is held ends when its member is out; one that was hung up uses its key no more. */
  async wait(member, body, waitMs, gone) {
    let hungUp = false;
    await super.wait(member, body, waitMs, (done) => gone(() => {
      hungUp = true;
      done();
    }));
    if (!hungUp) this.enter(body.key);
  }
}
