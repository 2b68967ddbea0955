/* fake-server: the room API in memory, as openapi.yaml describes it, for tests of the client.
 * Its clocks can be short, and a test can make it fail in the ways of real hosts:
 *   server.fail(times, {status, body, drop})   the next requests
 *   server.away = true                         every connection is cut
 *   server.forget()                            a data folder that was emptied
 * clocks.gate(token) says who a newcomer is, {sub, name}, or {code} why not; clocks.ice(peer) what
 * relays there are; clocks.Room another kind of room (fake-house.mjs: with hosts).
 * It also serves the page's files, so that browsers can be driven against it. */

import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.svg': 'image/svg+xml', '.css': 'text/css',
  '.webmanifest': 'application/manifest+json' };
export const id = () => randomBytes(16).toString('base64url');

export class Refusal extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

export class FakeRoom {
  constructor(clocks) {
    this.clocks = clocks;
    this.epoch = id();
    this.seq = 0;
    this.members = new Map();
    this.keys = new Map();
    this.messages = [];
    this.waiting = new Set();
  }

  cursor(seq = this.seq) {
    return `${this.epoch}.${seq}`;
  }

  post(from, to, type, data) {
    const message = { seq: (this.seq += 1), from, ...(to ? { to } : {}), type, data, sent_ms: Date.now() };
    this.messages.push(message);
    for (const look of [...this.waiting]) look();
    return message.seq;
  }

  sweep(now = Date.now()) {
    for (const [peer, member] of this.members) {
      if (!member.lapsed && now > member.leaseEnd) {
        member.lapsed = true;
        this.post(null, null, 'peer-left', { peer, reason: 'lapsed' });
      }
      if (now > member.leaseEnd + this.clocks.graceMs) this.drop(member);
    }
  }

  drop(member) {
    this.members.delete(member.peer);
    for (const [key, owner] of this.keys) if (owner.member === member) this.keys.delete(key);
  }

  listed(except) {
    return [...this.members.values()].filter(({ peer, lapsed }) => peer !== except && !lapsed)
      .map(({ peer, name, meta, joined }) => ({ peer, ...(name ? { name } : {}), meta, joined }));
  }

  /** The member behind a key; its lease is renewed. */
  enter(key) {
    this.sweep();
    const owner = this.keys.get(key);
    if (!owner) throw new Refusal(401, 'key-invalid');
    if (owner.former || owner.member.lapsed) throw new Refusal(410, 'session-expired');
    for (const other of this.keys.values()) if (other.member === owner.member && other !== owner) other.former = true;
    owner.member.leaseEnd = Math.max(owner.member.leaseEnd, Date.now() + this.clocks.leaseMs);
    return owner.member;
  }

  join(body) {
    this.sweep();
    let member = [...this.members.values()].find(({ joinId }) => body.id && joinId === body.id);
    const resumed = body.resume && this.keys.get(body.resume)?.member;
    if (body.resume && !resumed && !this.clocks.gate) throw new Refusal(401, 'key-invalid');
    const claims = resumed || member ? {} : this.clocks.gate?.(body.token) ?? {};
    if (claims.code) throw new Refusal(401, claims.code);
    const replaced = body.replaces && !member ? this.keys.get(body.replaces)?.member : null;
    if (body.replaces && !member && !replaced) throw new Refusal(401, 'key-invalid');
    const more = !member && !resumed && !replaced;
    if (more && this.members.size >= this.clocks.peersMax) throw new Refusal(409, 'room-full');
    const after = resumed && body.after ? body.after : null;
    if (resumed) {
      member = resumed;
      Object.assign(member, { meta: body.meta, leaseEnd: Date.now() + this.clocks.leaseMs });
      if (member.lapsed) {
        member.lapsed = false;
        const { peer, meta, joined } = member;
        this.post(null, null, 'peer-joined', { peer, meta, joined, resumed: true });
      }
    }
    if (!member) member = this.admit({ ...body, ...claims }, replaced);
    const key = id();
    this.keys.set(key, { member, former: false });
    return { peer: member.peer, key, cursor: after ?? this.cursor(), peers: this.listed(member.peer), ice_servers: [],
      limits: {}, poll: { hold_ms: this.clocks.holdMs, lease_ms: this.clocks.leaseMs }, features: [],
      ...this.clocks.ice?.(member.peer), ...(member.sub ? { sub: member.sub, name: member.name, role: 'member' } : {}) };
  }

  admit(body, replaced) {
    const peer = id();
    if (replaced) {
      this.drop(replaced);
      this.post(null, null, 'peer-left', { peer: replaced.peer, reason: 'replaced', by: peer });
    }
    const member = this.newcomer(peer, body);
    this.members.set(peer, member);
    const { name, meta, joined } = member;
    this.post(null, null, 'peer-joined', { peer, ...(name ? { name } : {}), meta, joined });
    return member;
  }

  newcomer(peer, body) {
    return { peer, joinId: body.id, sub: body.sub, name: body.name, meta: body.meta, sent: new Map(), turn: 0, polls: 0,
      lapsed: false, leaseEnd: Date.now() + this.clocks.leaseMs, joined: this.seq + 1 };
  }

  /** Whether somebody's polls may be held. */
  reads({ peer }) {
    return this.members.has(peer);
  }

  leave(key, soon) {
    const owner = this.keys.get(key);
    if (!owner) throw new Refusal(401, 'key-invalid');
    const { member } = owner;
    if (soon) {
      member.leaseEnd = Math.min(member.leaseEnd, Date.now() + this.clocks.soonMs);
      return;
    }
    this.drop(member);
    this.post(null, null, 'peer-left', { peer: member.peer, reason: 'left' });
  }

  send(member, letters) {
    for (const { to, type } of letters) {
      if (/^(peer|room|klatch)-/.test(type)) throw new Refusal(400, 'invalid-request');
      if (to && !this.members.has(to)) throw new Refusal(404, 'peer-not-found');
    }
    return letters.map((letter) => {
      if (!member.sent.has(letter.id)) {
        member.sent.set(letter.id, this.post(member.peer, letter.to, letter.type, letter.data));
      }
      return { id: letter.id, seq: member.sent.get(letter.id) };
    });
  }

  after(member, cursor) {
    const [epoch, text] = String(cursor).split('.');
    if (!/^\d+$/.test(text ?? '')) throw new Refusal(400, 'bad-cursor');
    if (epoch !== this.epoch || Number(text) > this.seq) {
      return { gap: true, peers: this.listed(), messages: [], next: this.cursor() };
    }
    const mine = this.messages.filter((m) => m.seq > Number(text) && m.from !== member.peer
      && (!m.to || m.to === member.peer) && !(m.from === null && m.data.peer === member.peer));
    const messages = mine.slice(0, 100);
    const more = mine.length > 100;
    return { messages, more, next: more ? this.cursor(messages[99].seq) : this.cursor() };
  }

  async exchange(body, gone) {
    const member = this.enter(body.key);
    const sent = this.send(member, body.send ?? []);
    if (body.after === undefined) return { messages: [], more: false, sent };
    const waitMs = Math.min(body.wait_ms ?? 0, this.clocks.holdMs);
    const superseded = { messages: [], next: body.after, more: false, sent, superseded: true };
    if (waitMs > 0) {
      if (body.turn < member.turn) return superseded;
      member.turn = body.turn ?? member.turn;
      await this.wait(member, body, waitMs, gone);
    }
    if (waitMs > 0 && member.turn !== body.turn) return superseded;
    return { ...this.after(member, body.after), sent };
  }

  wait(member, body, waitMs, gone) {
    return new Promise((resolve) => {
      const done = () => {
        if (this.waiting.delete(look)) member.polls -= 1;
        clearTimeout(timer);
        clearInterval(sweep);
        resolve();
      };
      const look = () => {
        const { messages, gap } = this.after(member, body.after);
        if (messages.length || gap || member.turn !== body.turn || !this.reads(member)) done();
      };
      const timer = setTimeout(done, waitMs);
      const sweep = setInterval(() => this.sweep(), 50);
      this.waiting.add(look);
      member.polls += 1;
      gone(done);
      for (const other of [...this.waiting]) other();
    });
  }
}

export class FakeServer {
  /** @param {object} [clocks] ms */
  constructor(clocks = {}) {
    this.clocks = { holdMs: 25_000, leaseMs: 75_000, graceMs: 45_000, soonMs: 5_000, peersMax: 32, ...clocks };
    this.rooms = new Map();
    this.requests = [];
    this.away = false;
    this.failures = [];
    this.http = http.createServer((request, response) => {
      this.answer(request, response).catch((error) => response.destroy(error));
    });
  }

  async start(port = 0) {
    await new Promise((resolve) => this.http.listen(port, '127.0.0.1', resolve));
    this.origin = `http://127.0.0.1:${this.http.address().port}`;
    this.api = `${this.origin}/api/v1`;
    return this;
  }

  async stop() {
    this.http.closeAllConnections?.();
    await new Promise((resolve) => this.http.close(resolve));
  }

  /** The next `times` requests to `what` (a regular expression over the path) go wrong. */
  fail(times, how = {}, what = /./) {
    this.failures.push({ times, how, what });
  }

  cut() {
    this.http.closeAllConnections();
  }

  forget() {
    for (const room of this.rooms.values()) for (const look of room.waiting) look();
    this.rooms.clear();
    this.cut();
  }

  room(name) {
    if (!this.rooms.has(name)) this.rooms.set(name, new (this.clocks.Room ?? FakeRoom)(this.clocks));
    return this.rooms.get(name);
  }

  async answer(request, response) {
    const { pathname } = new URL(request.url, this.origin);
    if (!pathname.startsWith('/api/')) return this.file(pathname, response);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
    const body = JSON.parse(form ? new URLSearchParams(text).get('json') : text || '{}');
    this.requests.push({ path: pathname, body, form: Boolean(form) });
    if (this.away) return request.socket.destroy();
    const failure = this.failures.find(({ times, what }) => times > 0 && what.test(pathname));
    if (failure) {
      failure.times -= 1;
      // The work is done all the same: what is lost is the answer.
      if (failure.how.after) await this.act(pathname, body, response).catch(() => {});
      if (failure.how.drop) return request.socket.destroy();
      return this.say(response, failure.how.status ?? 500, failure.how.body ?? '<h1>oops</h1>', failure.how.headers);
    }
    try {
      const answer = await this.act(pathname, body, response);
      const status = answer === null ? 204 : answer.waiting ? 202 : pathname.endsWith('/join') ? 201 : 200;
      return this.say(response, status, answer === null ? '' : JSON.stringify(answer));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, code } = error;
      return this.say(response, status, JSON.stringify({ status, code, detail: code }));
    }
  }

  async act(pathname, body, response) {
    const [, name, what] = /^\/api\/v1\/rooms\/([^/]+)\/(\w+)$/.exec(pathname) ?? [];
    if (!what) throw new Refusal(404, 'not-found');
    if (what !== 'join' && !this.rooms.has(name)) throw new Refusal(404, 'room-not-found');
    const room = this.room(name);
    if (what === 'join') return room.join(body);
    if (what === 'exchange') return room.exchange(body, (done) => response.on('close', done));
    if (what === 'ice') return this.clocks.ice(room.enter(body.key).peer);
    if (what === 'leave') return room.leave(body.key, body.soon) ?? null;
    if (room.decide && what in room.decide) return room.decide[what](body);
    throw new Refusal(404, 'not-found');
  }

  say(response, status, body, headers = {}) {
    response.writeHead(status, { 'Content-Type': body.startsWith('{') ? `application/${status < 400 ? 'json' : 'problem+json'}` : 'text/html',
      'Cache-Control': 'no-store', ...headers });
    response.end(body);
  }

  file(pathname, response) {
    const root = fileURLToPath(new URL('../../../public_html', import.meta.url));
    const name = path.join(root, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    if (!name.startsWith(root) || !fs.existsSync(name)) return this.say(response, 404, '<h1>no such file</h1>');
    response.writeHead(200, { 'Content-Type': TYPES[path.extname(name)] ?? 'application/octet-stream' });
    return response.end(fs.readFileSync(name));
  }
}
