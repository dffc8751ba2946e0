/** What a reload remembers: the room in the address, the rest in this tab's session storage. */

import type { TokenRequest } from './token';

const JOINED = 'joined-room';
const NAME = 'participant-name';
const KEY = 'token-key';
/** Letters and digits that nobody mistakes for one another when a room's name is read aloud. */
const READABLE = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A fresh room name that can be read aloud, such as `room-7k2f`. */
export function freshRoomName(random: () => number = Math.random): string {
  const pick = () => READABLE[Math.floor(random() * READABLE.length)];
  return `room-${Array.from({ length: 4 }, pick).join('')}`;
}

/** The room named in the address (`?room=`), or a fresh one that is then written there. */
export function roomNameFromAddress(): string {
  const named = new URL(location.href).searchParams.get('room');
  if (named) return named;
  const fresh = freshRoomName();
  writeRoomNameToAddress(fresh);
  return fresh;
}

export function writeRoomNameToAddress(roomName: string): void {
  const address = new URL(location.href);
  address.searchParams.set('room', roomName);
  history.replaceState(null, '', address);
}

/** Whether this tab was in that room when it was last seen: a reload then joins by itself. */
export function wasJoined(roomName: string): boolean {
  return sessionStorage.getItem(JOINED) === roomName;
}

/** Remember a join. The key stays in this tab: it is never in the address and goes with the tab. */
export function rememberJoined({ roomName, participantName, key }: TokenRequest): void {
  sessionStorage.setItem(JOINED, roomName);
  sessionStorage.setItem(NAME, participantName);
  sessionStorage.setItem(KEY, key);
}

export function forgetJoined(): void {
  sessionStorage.removeItem(JOINED);
}

export function participantNameFromLastTime(): string {
  return sessionStorage.getItem(NAME) ?? '';
}

export function tokenKey(): string {
  return sessionStorage.getItem(KEY) ?? '';
}
