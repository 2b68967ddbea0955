import { testScenes } from './axe.mjs';

testScenes('the lobby and of the end', (scene) => !scene.startsWith('call'));
