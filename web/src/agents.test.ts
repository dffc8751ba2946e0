import type { LocalParticipant } from 'livekit-client';
import { expect, test } from 'vitest';
import { isReplacing } from './agents';

test.each<[Record<string, string>, boolean]>([
  [{ 'token_server.agent': 'replacing' }, true],
  [{ 'token_server.agent': 'a newer word' }, false],
  [{ 'token_server.agent': '' }, false],
  [{}, false],
])('the human’s own attributes (%j) say whether the agent is being replaced', (attributes, is) => {
  expect(isReplacing({ localParticipant: { attributes } as LocalParticipant })).toBe(is);
});
