// A page that takes the element from another origin: `host.html?from=<origin and folder>`.
await import(`${new URLSearchParams(location.search).get('from')}ui/klatch-room.js`);
