// Findings about the program: found, started, right.

/** @type {Record<string, import('../findings.js').About>} */
export const program = {
  'K-HANDLER': {
    level: 'bad',
    title: 'The web server sends the program to browsers instead of running it',
    means: 'Asked for cgi-bin/klatch.fcgi, the server delivered the file itself. Programs are switched off for this'
      + ' folder, or the file .htaccess in it is missing or not read.',
    todo: [
      'In the file manager, switch on “show hidden files” and look into cgi-bin: .htaccess must be there. If not, upload it from the zip.',
      'If it is there, move the contents of cgi-bin to the cgi-bin folder that your host made at the top of the site, in a folder klatch.',
      'Plesk: Hosting Settings, tick “FastCGI support” and “CGI support”. cPanel: ask the host to allow CGI or FastCGI for your plan.',
    ],
  },
  'K-MISSING': {
    level: 'bad',
    title: 'The program isn’t there: {names}',
    means: 'The folder cgi-bin beside this page, or the program in it, was not uploaded, or a virus scanner of the host removed it.',
    todo: [
      'Upload the folder cgi-bin from the zip again, into the folder that holds this page. With FTP choose binary mode.',
      'If the files vanish again, ask the host whether a scanner removes programs.',
    ],
  },
  'K-FORBIDDEN': {
    level: 'bad',
    title: 'The web server refuses to run the program (403)',
    means: 'The server found the program and may not run it. Mostly its mode is wrong, or the host forbids programs in this folder.',
    todo: [
      'File manager: right-click klatch.fcgi, klatch-poll.fcgi, klatch.cgi and probe.cgi in cgi-bin, Permissions, enter 755. The folder cgi-bin itself: 755 too.',
      'FTP: right-click the files, File permissions, 755.',
      'If that is so already, ask the host whether CGI programs are allowed for your plan and in which folder.',
    ],
  },
  'K-CRASH': {
    level: 'bad',
    title: 'The program ends with an error of the web server ({status})',
    means: 'The server tried to run the program, and it did not start or did not answer. The helper script probe.cgi could not say why.',
    todo: [
      'Set the modes: 755 for klatch.fcgi, klatch-poll.fcgi, klatch.cgi, probe.cgi and for the folder cgi-bin.',
      'Look into the error log (cPanel: Metrics, Errors; Plesk: Logs). The last line with klatch names the cause.',
      'Upload cgi-bin again in binary mode, from the zip for the right architecture.',
    ],
  },
  'K-BUSY': {
    level: 'bad',
    title: 'The host has no process left for this site ({status})',
    means: 'Your plan limits how many programs run at one time, and all are taken; or the host is overloaded.',
    todo: [
      'Wait a minute and check again.',
      'cPanel: look at Resource Usage, “Entry Processes”. If it stands at its limit without Klatch, another part of the site uses them up.',
      'Save the line for polls_max that this page suggests, so that Klatch takes fewer.',
    ],
  },
  'K-GATEWAY': {
    level: 'bad',
    title: 'The front server can’t reach the program ({status})',
    means: 'A front server such as nginx answers in the program’s place: the program isn’t running, or its socket isn’t where the front server looks.',
    todo: [
      'Own server: see whether the service runs (systemctl status klatch) and whether its socket is the one in the configuration of the web server.',
      'Shared host: wait a minute, check again, then tell the host.',
    ],
  },
  'K-ANSWER': {
    level: 'bad',
    title: 'Something else answers in the program’s place',
    means: 'An address of the program gives an ordinary page. A rule of another software on this site, such as WordPress, or a login page of the network catches it.',
    todo: [
      'Put Klatch into a folder of its own, not into the folder of another software.',
      'Look into .htaccess of the folders above: rules for “everything” need an exception for the folder of Klatch.',
    ],
  },
  'K-SILENT': {
    level: 'bad',
    title: 'The program doesn’t answer',
    means: 'A request for the program got no answer within {seconds} seconds, or the connection broke.',
    todo: [
      'Check your own connection, then check again.',
      'Own server: see whether the program runs and isn’t stopped. Shared host: restart is done by uploading klatch.fcgi again.',
    ],
  },
  'K-STATE': {
    level: 'bad',
    title: 'The program runs, and says that it can’t work: {problem}',
    means: '{detail}',
    todo: ['Mend what the sentence names, then check again. The other findings on this page may say more.'],
  },
  'K-CGI-ONLY': {
    level: 'warn',
    title: 'Only plain CGI works here',
    means: 'The host starts the program anew for each request. That works, costs more of the host’s time, and each waiting browser takes a process.',
    todo: [
      'Plesk: Hosting Settings, tick “FastCGI support”. cPanel: ask the host for mod_fcgid.',
      'Without it calls work all the same. Keep polls_max small.',
    ],
  },
  'K-POLL-ENTRY': {
    level: 'warn',
    title: 'Waiting and sending share their processes',
    means: 'Each browser that waits takes one process of the same pool that short requests need. With a second copy of the program waiting gets a pool of its own.',
    todo: [
      'See that klatch-poll.fcgi from the zip is in cgi-bin, with mode 755.',
      'If it is, add the line for poll_url that this page suggests.',
    ],
  },
  'K-MODE': {
    level: 'bad',
    title: 'Wrong mode: {names}',
    means: 'The mode is {mode}; to be run it must be 755. Unpacking or FTP often drops it.',
    todo: [
      'cPanel or Plesk file manager: right-click each of these files in cgi-bin, Permissions (Change Permissions), enter 755.',
      'FTP program: right-click, File permissions, enter 755.',
    ],
  },
  'K-FOLDER-MODE': {
    level: 'bad',
    title: 'The folder cgi-bin may be written by others (mode {mode})',
    means: 'Hosts refuse to run programs from a folder that its group or everybody may write to.',
    todo: ['File manager or FTP: right-click the folder cgi-bin, Permissions, enter 755.'],
  },
  'K-OWNER': {
    level: 'warn',
    title: 'The files belong to another user: {names}',
    means: 'The program runs as one user and its files belong to another one. Some hosts refuse that (suexec), and an upgrade may fail.',
    todo: [
      'Delete the folder cgi-bin and upload it again with the account that owns the site, not as root and not by another user.',
      'With a shell as root: chown -R to the owner of the site’s other files.',
    ],
  },
  'K-ARCH': {
    level: 'bad',
    title: 'This program is for another kind of computer',
    means: 'The host is {machine}, and the uploaded program ({names}) is for {elf}.',
    todo: ['Download the zip with {machine} in its name and upload cgi-bin from it.'],
  },
  'K-NOEXEC': {
    level: 'bad',
    title: 'The host runs no programs from this folder (noexec)',
    means: 'The disk of this folder is mounted so that nothing on it may be run.',
    todo: [
      'Ask the host in which folder CGI programs may lie, often /cgi-bin/ at the top of the site, and move the contents of cgi-bin there into a folder klatch.',
      'If there is none, this plan can’t run Klatch.',
    ],
  },
  'K-CUT': {
    level: 'bad',
    title: 'The program was uploaded by half: {names}',
    means: 'The file is shorter than it should be. The upload was broken off, or the disk or the quota is full.',
    todo: ['See that there is space left, then upload the files named here again.'],
  },
  'K-DAMAGED': {
    level: 'bad',
    title: 'The program is damaged: {names}',
    means: 'The file isn’t the one from the zip. An FTP program in text mode (ASCII) changes line ends and so ruins programs.',
    todo: ['Set the FTP program to binary mode (FileZilla: Transfer, Transfer type, Binary) and upload cgi-bin again.'],
  },
  'K-LOADER': {
    level: 'bad',
    title: 'The host can’t load the program: {names}',
    means: 'The file is there and in order, and the system says that something it needs is not found. A program that was built on another system, not the one from the zip.',
    todo: ['Upload cgi-bin from the zip of a release; its programs need nothing of the host.'],
  },
  'K-KILLED': {
    level: 'bad',
    title: 'The host ends the program as soon as it starts: {names}',
    means: 'A limit of the host on memory or processes, or a scanner, ended it.',
    todo: ['cPanel: look at Resource Usage for faults. Ask the host which limit ends klatch.fcgi.'],
  },
  'K-REFUSES': {
    level: 'bad',
    title: 'The host refuses to start the program: {names}',
    means: 'Mode, owner and architecture are right, and it doesn’t start. A security module of the host may forbid it.',
    todo: ['Ask the host whether programs of one’s own may run (CGI), and show them this report.'],
  },
  'K-CRLF': {
    level: 'warn',
    title: 'Line ends were changed in {names}',
    means: 'An FTP program in text mode changed these files. Scripts don’t run so, and programs of the same upload are damaged too.',
    todo: ['Upload the whole folder again with the FTP program set to binary mode.'],
  },
  'K-PROBE': {
    level: 'info',
    title: 'The helper script could not say more ({status})',
    means: 'cgi-bin/probe.cgi tells why a program doesn’t run. It did not run either: wrong modes for all of cgi-bin, no CGI in this plan, or a folder from which nothing runs (noexec).',
    todo: ['If the program doesn’t run: set mode 755 for everything in cgi-bin but the texts, and for the folder itself, then check again.'],
  },
};
