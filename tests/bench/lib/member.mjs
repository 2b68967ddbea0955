// A member of a Klatch room for what a workload has to prepare; nothing here is timed.

async function post(url, body) {
  const answer = await fetch(url, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

export class Member {
  static async join(base, room) {
    const member = new Member();
    member.url = `${base}/v1/rooms/${room}`;
    Object.assign(member, await post(`${member.url}/join`, {}));
    return member;
  }

  async read() {
    const answer = await post(`${this.url}/exchange`, { key: this.key, after: this.cursor });
    this.cursor = answer.next;
    return answer.messages;
  }

  send(to, count, bytes, first) {
    const data = 'x'.repeat(bytes);
    const send = Array.from({ length: count }, (_, i) => ({ id: `b${first + i}`, to: to.peer, type: 'candidate', data }));
    return post(`${this.url}/exchange`, { key: this.key, send });
  }
}
