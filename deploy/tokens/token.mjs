// A token for one person and one room, good for ten minutes. By hand:
// KLATCH_SECRET=... node token.mjs KEY-ID ROOM SUB NAME [ROLE [NOW]]
import { createHmac } from 'node:crypto';

export function klatchToken(key, secret, room, sub, name, role = 'member', now = Date.now() / 1000) {
  const claims = { iss: key, sub, room, name, role, exp: Math.floor(now) + 600 };
  const encode = (text) => Buffer.from(text).toString('base64url');
  const text = `${encode('{"alg":"HS256","typ":"JWT"}')}.${encode(JSON.stringify(claims))}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const [, program, key, ...rest] = process.argv;
if (program?.endsWith('token.mjs')) console.log(klatchToken(key, process.env.KLATCH_SECRET, ...rest));
