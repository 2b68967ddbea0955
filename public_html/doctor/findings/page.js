// Findings about the uploaded files, the page's address and the calls between the two.

/** @type {Record<string, import('../findings.js').About>} */
export const page = {
  'K-SELF': {
    level: 'bad',
    title: 'A part of this doctor is missing or damaged: {names}',
    means: 'What that part checks was not checked.',
    todo: ['Upload the folders doctor and ui again, in binary mode.'],
  },
  'K-FILE': {
    level: 'bad',
    title: 'This page was opened from a disk',
    means: 'It asks a web server, and there is none.',
    todo: ['Upload it to your web space and open it with https:// there.'],
  },
  'K-MANIFEST': {
    level: 'warn',
    title: 'The list of files (files.json) is missing or damaged',
    means: 'Without it this page can’t tell whether the upload is whole.',
    todo: ['Upload files.json from the zip into the folder of this page. A copy made from the source has none; then this is no fault.'],
  },
  'K-FILES-MISSING': {
    level: 'bad',
    title: 'Files were not uploaded, or can’t be read ({count})',
    means: 'Missing: {names}.',
    todo: ['Upload the zip again and extract it over the old files; or upload just these. File manager: mode 644 for files, 755 for folders.'],
  },
  'K-FILES-CUT': {
    level: 'bad',
    title: 'Files were uploaded by half ({count})',
    means: 'Too short: {names}.',
    todo: ['See that there is space left (quota), then upload these files again.'],
  },
  'K-FILES-TEXT': {
    level: 'bad',
    title: 'Line ends were changed in files ({count})',
    means: 'An FTP program in text mode (ASCII) changed: {names}. Pictures and programs of that upload are damaged.',
    todo: ['Set the FTP program to binary mode (FileZilla: Transfer, Transfer type, Binary) and upload everything again.'],
  },
  'K-FILES-MIXED': {
    level: 'bad',
    title: 'Files are of another version ({count})',
    means: 'Not those of version {version}: {names}. Two uploads were mixed, or the host changes files on their way (optimisers of pages do that).',
    todo: [
      'Upload the whole zip again and extract it over the old files.',
      'If it stays: switch off “optimise”, “minify” and “Rocket Loader” for this folder, and empty the host’s cache.',
    ],
  },
  'K-VERSION': {
    level: 'bad',
    title: 'Page and program are of different versions',
    means: 'The page is {page}, the program that answers is {program}.',
    todo: [
      'Upload the whole zip of one version, cgi-bin too.',
      'If you just did that: processes of the old program end by themselves within a minute. Check again then.',
    ],
  },
  'K-HTTPS': {
    level: 'bad',
    title: 'This page is not secure (http)',
    means: 'Browsers give camera and microphone to https pages only. Here people can write and nothing else.',
    todo: [
      'Open this page with https:// in front. If that works, use only that address, and switch on “Force HTTPS” (cPanel: Domains; Plesk: Hosting Settings).',
      'If not: cPanel SSL/TLS Status, Run AutoSSL; Plesk: SSL/TLS Certificates, Let’s Encrypt. It is free.',
    ],
  },
  'K-PROXY': {
    level: 'info',
    title: 'The program doesn’t know that this page is secure',
    means: 'A front server ends the encryption and doesn’t say so. Klatch uses relative addresses and works all the same.',
    todo: ['Own server: set the header X-Forwarded-Proto in the front server.'],
  },
  'K-WEBRTC': {
    level: 'warn',
    title: 'This browser can’t make calls',
    means: 'It has no WebRTC, so the servers that help browsers find each other were not checked.',
    todo: ['Open this page in a current Firefox, Chrome, Edge or Safari.'],
  },
  'K-CLOCK': {
    level: 'warn',
    title: 'The clocks of host and browser are {minutes} minutes apart',
    means: 'One of the two is wrong. Times in the chat will look odd, and an invitation with an end may end at the wrong time.',
    todo: ['Compare your own clock with a phone. If it is right, tell the host that the server’s clock is wrong.'],
  },
  'K-POST': {
    level: 'bad',
    title: 'Sending (POST) is blocked ({status})',
    means: 'The host lets the page read and not send. Klatch can’t work so.',
    todo: [
      'Most hosts do this by a rule set (ModSecurity). cPanel: ModSecurity, switch it off for this domain, check again; Plesk: Web Application Firewall, “Detection only”.',
      'Or ask the host to allow POST to cgi-bin/klatch.fcgi for your site.',
    ],
  },
  'K-JSON': {
    level: 'warn',
    title: 'JSON does not pass ({status}), forms do',
    means: 'A rule set of the host refuses the type application/json.',
    todo: ['Ask the host to allow application/json for the folder of Klatch (ModSecurity rule 920420 with OWASP’s set).'],
  },
  'K-FORM': {
    level: 'warn',
    title: 'Forms do not pass ({status}), JSON does',
    means: 'Goodbyes of closing tabs and calls from other sites’ pages go as forms. Who closes a tab then stays in the list for up to {lease} seconds.',
    todo: ['Ask the host to allow application/x-www-form-urlencoded for the folder of Klatch.'],
  },
  'K-OPTIONS': {
    level: 'info',
    title: 'The verb OPTIONS does not pass ({status})',
    means: 'Only pages of other sites that use this Klatch with JSON need it. This page doesn’t.',
    todo: ['If you embed Klatch elsewhere: ask the host to let OPTIONS pass.'],
  },
  'K-BODY': {
    level: 'warn',
    title: 'Large requests do not pass ({status})',
    means: 'A request of {bytes} kB did not arrive whole; {passes} kB did. Calls of more than a few people may send that much.',
    todo: [
      'nginx: client_max_body_size 384k. Apache: LimitRequestBody 400000, and FcgidMaxRequestLen 400000 with mod_fcgid.',
      'Shared host: ask to raise the limit of request bodies to 400 kB for your site.',
    ],
  },
  'K-RULES': {
    level: 'info',
    title: 'A rule set blocks text that looks like an attack ({status})',
    means: 'The page packs what people write, so that calls and chat pass all the same. Other programs that use the API with plain JSON may be blocked.',
    todo: ['Nothing, if only this page is used.'],
  },
  'K-RULES-ALL': {
    level: 'bad',
    title: 'A rule set blocks what the page sends ({status})',
    means: 'Short requests pass, packed messages don’t. Calls will not come about.',
    todo: ['cPanel: ModSecurity, switch it off for this domain; Plesk: Web Application Firewall, “Detection only”; or ask the host for an exception for cgi-bin/klatch.fcgi.'],
  },
  'K-AUTH': {
    level: 'info',
    title: 'The header Authorization is lost on its way',
    means: 'Apache drops it by default. No page of Klatch’s uses it; other programs send their key in the header X-Klatch-Key instead, or in the body.',
    todo: ['Nothing.'],
  },
  'K-HEADER': {
    level: 'info',
    title: 'The header X-Klatch-Key is lost on its way',
    means: 'Calls go on without it. admin.html and other programs for the site’s owner need it.',
    todo: ['If you use admin.html: ask the host to let this header pass.'],
  },
  'K-LIMIT': {
    level: 'info',
    title: 'This page asked too often and was slowed down',
    means: 'Somebody at your address checked several times within a minute, so that some checks could not be made.',
    todo: ['Wait a minute, then check again.'],
  },
};
