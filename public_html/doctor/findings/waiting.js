// Findings about requests that wait, about several machines, and about the way between browsers.

/** @type {Record<string, import('../findings.js').About>} */
export const waiting = {
  'K-HOLD': {
    level: 'warn',
    title: 'Waiting requests are cut off after {cut} seconds',
    means: 'Browsers wait for news with a request of up to {hold} seconds; something between here and the program ends it earlier. Calls work, with errors and more requests.',
    todo: ['Add the line for hold_ms that this page suggests to klatch.conf.'],
  },
  'K-HOLD-NONE': {
    level: 'bad',
    title: 'No request may wait here',
    means: 'Not even a request of one second survives. Browsers must ask again and again.',
    todo: ['Add the line hold_ms = 0, and ask the host what ends requests within a second.'],
  },
  'K-LATE': {
    level: 'warn',
    title: 'Answers arrive {late} seconds late',
    means: 'The program had answered, and the answer was held back on its way: a buffering proxy, or a limit on speed.',
    todo: [
      'nginx: no limit_rate, and proxy_buffering off or fastcgi_buffers as in the recipe.',
      'Cloudflare and the like: pause the proxy (grey cloud) for this name and check again.',
    ],
  },
  'K-SLOTS': {
    level: 'warn',
    title: 'With {over} browsers waiting, a short request takes {seconds} seconds',
    means: 'With {held} waiting all is well. The host runs too few processes for more.',
    todo: ['Add the line for polls_max that this page suggests to klatch.conf.'],
  },
  'K-SLOW': {
    level: 'warn',
    title: 'A short request takes {seconds} seconds, though nobody waits',
    means: 'The host is slow or overloaded, or slows down who asks often. How many browsers may wait could not be found out.',
    todo: ['Check again at another time of the day. If it stays, ask the host for the limits of requests and processes of your plan.'],
  },
  'K-QUEUE': {
    level: 'bad',
    title: 'Short requests hang behind waiting ones',
    means: 'While {held} browser(s) waited, {hung} of {asked} short requests took more than a second. The front server queues them on one connection, or there is one process for all.',
    todo: [
      'See that klatch-poll.fcgi is in cgi-bin with mode 755, and that polls use it (poll_url).',
      'Own server: at least two processes for each program (FcgidMaxProcessesPerClass); no max=1 on a ProxyPass; workers in one pool with Klatch’s own socket, as in the recipe.',
    ],
  },
  'K-BUDGET': {
    level: 'info',
    title: 'The places for waiting requests are taken',
    means: 'Others are waiting now, so that this could not be checked whole.',
    todo: ['Check again when no call is going on.'],
  },
  'K-MACHINES': {
    level: 'bad',
    title: '{count} machines answer, and they share no data',
    means: 'The host spreads requests over several machines with folders of their own. People in one room will not find each other.',
    todo: [
      'Own servers: send all requests for Klatch to one of them, or give them one data folder on one machine.',
      'Shared host: ask whether the site can stay on one machine (“sticky”). If not, this plan can’t run Klatch.',
    ],
  },
  'K-HOSTS': {
    level: 'warn',
    title: '{count} machines answer, with one data folder on the network',
    means: 'Rooms work and messages take up to half a second longer, since one machine doesn’t hear the other’s bell.',
    todo: ['If there is a choice, keep the site on one machine.'],
  },
  'K-VERSIONS': {
    level: 'warn',
    title: 'Programs of several versions answer: {names}',
    means: 'An upgrade is under way, or copies in several folders answer in turn.',
    todo: ['Wait a minute, then check again. If it stays, upload cgi-bin once more.'],
  },
  'K-ICE-SILENT': {
    level: 'warn',
    title: '{url} doesn’t answer',
    means: 'This server should help browsers to find each other. From here it can’t be reached: switched off, a wrong name or port, or a firewall between.',
    todo: ['Compare the address in the lines ice_server of klatch.conf with what its operator says; open its port, for UDP too.'],
  },
  'K-ICE-REFUSED': {
    level: 'warn',
    title: '{url} refuses: {reason}',
    means: 'The relay answers and doesn’t take the user name and password of klatch.conf, or has no room left.',
    todo: ['Compare user name and password in the line ice_server of klatch.conf with the relay’s own configuration.'],
  },
  'K-STUN-NONE': {
    level: 'warn',
    title: 'Only people in one network can meet',
    means: 'No server tells browsers their public address. People behind different home routers don’t find each other; people in one house or office do.',
    todo: ['Take “ice_server = none” out of klatch.conf, or name a stun server that answers.'],
  },
  'K-RELAY-NONE': {
    level: 'info',
    title: 'No relay: some people will be left out',
    means: 'Most people connect directly. Who sits behind a strict firewall (many offices, schools, hospitals, hotels) or in a mobile network that hides its'
      + ' users can’t reach others in the same position, and sees them as “no connection”.',
    todo: ['For these people run or rent a TURN relay, and add: ice_server = turn:name:port user password'],
  },
  'K-ICE-UNTRIED': {
    level: 'info',
    title: 'The servers for finding each other were not tried',
    means: 'They are told to who joins a room, and as klatch.conf says, a stranger may not: {problem}. Nothing is wrong with that.',
    todo: ['To try them, set tokens = off or rooms_open_by = anyone in klatch.conf for a moment, check again, and take it back.'],
  },
  'K-ICE-UNKNOWN': {
    level: 'info',
    title: 'The servers for finding each other could not be checked',
    means: 'They are told to who joins a room, and joining failed: {problem}.',
    todo: ['Mend the other findings first, then check again.'],
  },
};
