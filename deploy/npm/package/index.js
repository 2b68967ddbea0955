// The SDK: rooms, connections, media, chat, and no page.
export * from './klatch/index.js';
