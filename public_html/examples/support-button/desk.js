// Where customers and agents find each other: a room without any camera. A customer tells each agent, alone,
// which room the call is in. Who is an agent is only a name here: a real shop signs tokens for its agents
// (deploy/TOKENS.md) and looks at what they say.
import { joinRoom } from '../../klatch/index.js';
import { findOwnApi } from '../../ui/find-api.js';

export const AGENT = 'Support agent';

/** @param {string} name @param {AbortSignal} [signal] ends the joining */
export async function openDesk(name, signal) {
  return joinRoom({ api: await findOwnApi(), room: 'support-desk', name, data: true, signal });
}
