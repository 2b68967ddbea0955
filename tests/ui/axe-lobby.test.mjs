import { testScenes } from './axe.mjs';

/** What is wrong with one device or with both looks the same but for a word. */
const ONE_DEVICE = /-(audio|video)$/;

testScenes('the lobby and of the end', (scene) => !scene.startsWith('call') && !ONE_DEVICE.test(scene));
