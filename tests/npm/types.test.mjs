// What a program in TypeScript sees of the package, under the strictest rules and with no library skipped.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import ts from 'typescript';
import { install, newFolder } from './lib/site.mjs';

const PROGRAM = `
import { joinRoom, KlatchProblem, type Message, type Person, type Room } from 'klatch';
import { KlatchRoom } from 'klatch/element';
import { openFrame } from 'klatch/frame';

const stop = new AbortController();
export async function talk(): Promise<Room | null> {
  try {
    const room = await joinRoom({ api: '/api/v1', room: 'tea', name: 'Ann', signal: stop.signal });
    room.on('peer-joined', ({ detail }) => { const one: Person = detail.person; console.log(one.name.length); });
    room.on('message', ({ detail }) => { const one: Message = detail.message; console.log(one.text.length); });
    room.on('left', ({ detail }) => console.log(detail.reason.length));
    // @ts-expect-error there is no such event
    room.on('peer-joint', () => {});
    // @ts-expect-error the detail of this event has a person
    room.on('peer-joined', ({ detail }) => detail.message);
    // @ts-expect-error the name of a room is a text
    await joinRoom({ api: '/api/v1', room: 7 });
    await room.camera(true);
    return room;
  } catch (error) {
    if (error instanceof KlatchProblem && error.code === 'room-full') return null;
    throw error;
  }
}

const element = document.createElement('klatch-room');
const same: KlatchRoom = element;
element.join().then((room) => room.say('hello'));
const frame = openFrame(document.body, { src: 'https://chat.example.org/', room: 'tea' });
frame.addEventListener('joined', () => console.log(frame.element.width));
// @ts-expect-error the name of a room is a text
openFrame(document.body, { src: 'https://chat.example.org/', room: 7 });
element.token = async () => (await fetch('/token')).text();
element.addEventListener('peer-joined', ({ detail }) => console.log(detail.person.name.length));
element.addEventListener('click', (event) => console.log(event.clientX));
// @ts-expect-error the detail of this event has a room
element.addEventListener('joined', ({ detail }) => detail.person);
// @ts-expect-error there is no such method
same.joinn();
`;
const STRICT = {
  strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noPropertyAccessFromIndexSignature: true,
  skipLibCheck: false, noEmit: true, types: [], target: ts.ScriptTarget.ES2022, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
};
const KINDS = {
  'a bundler': { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
  Node: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
};

describe('the declarations', () => {
  let folder;
  let installed;
  before(() => {
    folder = newFolder();
    installed = install(folder);
    fs.writeFileSync(path.join(folder, 'program.ts'), PROGRAM);
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  for (const [name, kind] of Object.entries(KINDS)) {
    it(`let a typed program through and a wrong event name not, as ${name} resolves modules`, () => {
      const program = ts.createProgram([path.join(folder, 'program.ts')], { ...STRICT, ...kind });
      const said = ts.getPreEmitDiagnostics(program);
      assert.equal(ts.formatDiagnostics(said, {
        getCanonicalFileName: (file) => file, getCurrentDirectory: () => folder, getNewLine: () => '\n',
      }), '');
    });
  }

  it('lead to the sources, which can be read', () => {
    const map = JSON.parse(fs.readFileSync(path.join(installed, 'klatch/room.d.ts.map'), 'utf8'));
    const source = fs.readFileSync(path.join(installed, 'klatch', map.sourceRoot ?? '', map.sources[0]), 'utf8');
    assert.match(source, /^export class Room extends /m);
  });
});
