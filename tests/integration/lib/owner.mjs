// The site's owner, who has the admin key: asks who is where, follows the feed, reads the figures.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { expectStatus } from './api.mjs';
import { until } from './until.mjs';

export const ADMIN_KEY = 'a key of the owner, 32 and more'.replaceAll(' ', '-').padEnd(40, 'x');

/** Prometheus' own reader of its text (Debian's python3-prometheus-client), strict about it. */
const READER = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families as read
print(json.dumps([{'name': f.name, 'type': f.type, 'help': f.documentation,
  'samples': [[s.name, s.labels, s.value] for s in f.samples]} for f in read(sys.stdin.read())]))`;

export function readPrometheus(text) {
  return JSON.parse(execFileSync('/usr/bin/python3', ['-c', READER], { input: text, encoding: 'utf8' }));
}

export class Owner {
  /** @param {import('./api.mjs').Api} api */
  constructor(api, key = ADMIN_KEY) {
    this.api = api;
    this.headers = { authorization: `Bearer ${key}` };
    this.events = [];
    this.next = undefined;
  }

  get(path) { return this.api.get(`/v1/admin/${path}`, { headers: this.headers }); }

  post(path, body = {}) {
    return this.api.post(`/v1/admin/${path}`, body, { headers: this.headers });
  }

  /** Every page of the list. */
  async rooms() {
    const rooms = [];
    let after;
    do {
      const { json } = expectStatus(await this.get(after === undefined ? 'rooms' : `rooms?after=${after}`), 200);
      rooms.push(...json.rooms);
      after = json.more ? json.next : undefined;
    } while (after !== undefined);
    return rooms;
  }

  /** One look at the feed, from where the last one ended. */
  async pull() {
    const answer = await this.get(this.next === undefined ? 'events' : `events?after=${this.next}`);
    const { json } = expectStatus(answer, 200);
    this.next = json.next;
    this.events.push(...json.events);
    return json;
  }

  /** Pull until what has come is enough. Returns all that has ever come. */
  async follow(what, enough, options) {
    await until(what, async () => {
      while ((await this.pull()).more);
      return enough(this.events);
    }, { everyMs: 50, ...options }).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(this.events.map(shortly))}`);
    });
    return this.events;
  }

  /** The value of a metric, or the sum of those with these labels. */
  async figure(name, labels = {}) {
    const { text } = expectStatus(await this.get('metrics'), 200);
    const fits = (sample) => sample[0] === name
      && Object.entries(labels).every(([key, value]) => sample[1][key] === value);
    const found = readPrometheus(text).flatMap((family) => family.samples).filter(fits);
    assert.ok(found.length > 0, `${name} ${JSON.stringify(labels)} in\n${text}`);
    return found.reduce((sum, sample) => sum + sample[2], 0);
  }
}

export const shortly = (event) => [event.type.replace(/^(room|peer)-/, ''), event.peer, event.reason]
  .filter(Boolean).join(' ');

/** What must hold of every feed: no id and no order twice, each room's events in order from 1. */
export function checkFeed(events) {
  assert.equal(new Set(events.map((e) => e.id)).size, events.length, 'no id twice');
  const last = new Map();
  const there = new Map();
  for (const event of events) {
    const life = `${event.room}`;
    const opened = event.type === 'room-opened';
    assert.equal(event.order, opened ? 1 : (last.get(life) ?? 0) + 1, JSON.stringify(event));
    last.set(life, event.order);
    if (opened) there.set(life, new Set());
    const people = there.get(life);
    if (event.type === 'peer-joined') {
      assert.ok(!people.has(event.peer), `joined once: ${JSON.stringify(event)}`);
      people.add(event.peer);
    }
    if (event.type === 'peer-left') assert.ok(people.delete(event.peer), `joined before: ${JSON.stringify(event)}`);
    if (event.type === 'room-closed') assert.equal(people.size, 0, `nobody is left in it: ${JSON.stringify(event)}`);
  }
}
