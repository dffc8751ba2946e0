/** The page's elements, and how they show what there is. Decides nothing. */

import type { Advice } from './advice';
import { barLevel } from './meter';
import { STEPS, type Timeline } from './timeline';
import type { Look } from './watch';

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found as T;
}

export const form = element<HTMLFormElement>('form');
export const roomName = element<HTMLInputElement>('room-name');
export const participantName = element<HTMLInputElement>('participant-name');
export const key = element<HTMLInputElement>('key');
export const muteButton = element<HTMLButtonElement>('mute');
const playButton = element('play');
const keyField = element('key-field');
const joinButton = element<HTMLButtonElement>('join');
const status = element('status');
const notices = element('notices');

const STATUS: Record<Look['stage'], string> = {
  token: 'Asking for a token…',
  connecting: 'Connecting to LiveKit…',
  reconnecting: 'Connection lost. Trying to come back…',
  'no-agent': 'You are in the room. Waiting for the agent…',
  'no-audio': 'The agent is in the room. Waiting for its voice…',
  'no-sound': 'The agent is connected and quiet so far.',
  heard: 'The agent is here.',
  ended: 'You are not in the room.',
};
const MICROPHONE: Record<Look['microphone'], string> = {
  opening: 'opening…',
  on: 'on',
  muted: 'muted',
  failed: 'none',
};

/** Change the page only where it differs, so that a screen reader speaks only of what is new. */
function say(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Ask for a key: the server wants one. */
export function askForKey(): void {
  keyField.hidden = false;
  key.focus();
}

export function showLook(look: Look): void {
  const isOver = look.stage === 'ended';
  document.body.dataset['stage'] = look.stage;
  say(
    status,
    look.isPlaybackBlocked ? 'The browser waits for your click to play sound.' : STATUS[look.stage],
  );
  say(joinButton, isOver ? 'Join' : 'Leave');
  joinButton.classList.toggle('primary', isOver);
  for (const input of [roomName, participantName, key]) input.disabled = !isOver;
  keyField.hidden ||= !isOver;
  playButton.hidden = !look.isPlaybackBlocked;
  showMicrophone(look, isOver);
  showAgent(look);
}

function showMicrophone(look: Look, isOver: boolean): void {
  muteButton.hidden = isOver || look.microphone === 'opening' || look.microphone === 'failed';
  muteButton.setAttribute('aria-pressed', String(look.microphone === 'muted'));
  say(element('microphone-state'), isOver ? 'off' : MICROPHONE[look.microphone]);
  showLevel(element('microphone-meter'), look.microphoneRms);
}

function showAgent(look: Look): void {
  const state = element('agent-state');
  say(element('agent-name'), look.agentName);
  say(state, look.agents ? look.agentState : 'not here');
  state.dataset['state'] = look.agentState;
  showLevel(element('agent-meter'), look.agentRms);
}

function showLevel(meter: HTMLElement, rms: number): void {
  const level = barLevel(rms);
  meter.style.setProperty('--loudness', level.toFixed(2));
  meter.setAttribute('aria-valuenow', String(Math.round(level * 100)));
}

/** Draw the steps as a waterfall: each bar begins where the one above ended, and one may grow. */
export function showTimeline(timeline: Timeline, isOver: boolean): void {
  const running = isOver ? undefined : STEPS.find((step) => timeline.at(step) === undefined);
  const ends = STEPS.map((step) => (step === running ? timeline.elapsed() : timeline.at(step)));
  const total = Math.max(...ends.map((end) => end ?? 0), 1);
  let from = 0;
  for (const [index, step] of STEPS.entries()) {
    const end = ends[index];
    const row = element(`step-${step}`);
    row.dataset['progress'] = step === running ? 'running' : end === undefined ? 'none' : 'done';
    row.style.setProperty('--from', (from / total).toFixed(4));
    row.style.setProperty('--to', ((end ?? from) / total).toFixed(4));
    say(element(`ms-${step}`), timeline.at(step)?.toFixed(0) ?? '–');
    from = end ?? from;
  }
}

let shown = '';

/** Show what there is to say; the same again changes nothing. */
export function showAdvice(advice: Advice[]): void {
  const now = JSON.stringify(advice);
  if (now === shown) return;
  shown = now;
  notices.replaceChildren(...advice.map(toNotice));
}

function toNotice(advice: Advice): HTMLElement {
  const notice = document.createElement('section');
  notice.className = `notice ${advice.tone}`;
  notice.append(node('h2', advice.title), node('p', advice.text));
  if (advice.checks) {
    const list = document.createElement('ul');
    list.append(...advice.checks.map((check) => node('li', check)));
    notice.append(list);
  }
  return notice;
}

/** An element with text, of which every second part between backticks is code. */
function node(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  for (const [index, part] of text.split('`').entries()) {
    if (index % 2 === 0) made.append(part);
    else made.append(Object.assign(document.createElement('code'), { textContent: part }));
  }
  return made;
}
