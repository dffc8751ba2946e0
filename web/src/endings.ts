/** What to say when a call is over or lacks its microphone. Words only, no DOM. */

import { DisconnectReason } from 'livekit-client';
import type { Advice } from './advice';
import type { Ending } from './call';

/** Why a call is over; nothing when the person left. */
export function adviceForEnding(ending: Ending): Advice | undefined {
  switch (ending.kind) {
    case 'left':
      return undefined;
    case 'refused':
      return refused(ending.status, ending.code, ending.message);
    case 'unconnected':
      return {
        tone: 'error',
        title: 'No connection to LiveKit',
        text: `The token says \`${ending.serverUrl}\`, and the browser got: ${ending.message.replace(/[\s:]+$/, '')}.`,
        checks: [
          'Does a LiveKit server run there? `LIVEKIT_PUBLIC_URL` names it, else `LIVEKIT_URL`.',
          'Can this device reach it? `127.0.0.1` and `localhost` work on that machine only.',
          'A page on `https://` can only use a LiveKit on `wss://`.',
        ],
      };
    case 'disconnected':
      return disconnected(ending.reason);
  }
}

function refused(status: number, code: string, message: string): Advice {
  if (status === 0) {
    return {
      tone: 'error',
      title: 'The token server does not answer',
      text: `\`/token\` could not be reached (${message}). Is the web process still running?`,
    };
  }
  return {
    tone: 'error',
    title:
      status === 401 ? 'The token server asks for a key or a login' : 'The token server refused',
    text: `\`${code}\` (HTTP ${status}): ${message}`,
    ...(status === 401 && {
      checks: [
        'Enter one of the server’s `TOKEN_KEYS`, or a login token with `TOKEN_AUTH=jwt`, and join again.',
      ],
    }),
  };
}

const DISCONNECTED: Partial<Record<DisconnectReason, [title: string, text: string]>> = {
  [DisconnectReason.DUPLICATE_IDENTITY]: [
    'Someone took your place',
    'Another participant joined with the same identity; LiveKit keeps the newer one.',
  ],
  [DisconnectReason.PARTICIPANT_REMOVED]: [
    'You were removed from the room',
    'Someone with an API key called `RemoveParticipant`.',
  ],
  [DisconnectReason.ROOM_DELETED]: [
    'The room was deleted',
    'Someone with an API key called `DeleteRoom`. Joining again makes a new one.',
  ],
  [DisconnectReason.ROOM_CLOSED]: ['The room was closed', 'Joining again makes a new one.'],
  [DisconnectReason.SERVER_SHUTDOWN]: [
    'LiveKit is shutting down',
    'The server said so itself. Join again when it is back.',
  ],
};

function disconnected(reason: DisconnectReason): Advice {
  const [title, text] = DISCONNECTED[reason] ?? [
    'The connection to LiveKit is lost',
    `It could not be restored (\`${DisconnectReason[reason]}\`). Does livekit-server still run?`,
  ];
  return { tone: 'error', title, text };
}

/** What it means that there is no microphone, by the error of the browser's getUserMedia. */
export function adviceForMicrophone(error: Error): Advice {
  const reasons: Record<string, string> = {
    NotAllowedError: 'The browser was not allowed to use it: see the lock in the address bar.',
    NotFoundError: 'The browser found none on this device.',
    NotReadableError: 'Another program holds it.',
  };
  const insecure = 'Browsers give a page the microphone only on `https://` or `localhost`.';
  const reason = isSecureContext ? (reasons[error.name] ?? error.message) : insecure;
  return {
    tone: 'warning',
    title: 'You are in without a microphone',
    text: `The agent is called all the same and you hear it, but it cannot hear you. ${reason}`,
  };
}
