import { expect, test } from 'vitest';
import { freshRoomName } from './memory';

test('a fresh room has a name that can be read aloud', () => {
  expect(freshRoomName()).toMatch(/^room-[a-hj-km-np-z2-9]{4}$/);
});
