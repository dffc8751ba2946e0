/** The page's elements, and how they show what there is. Decides nothing. */

import type { Advice } from './advice';
import { barLevel } from './meter';
import type { Look } from './watch';
import { agentWordsOf } from './words';

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

/** Hide a button or show it; who had the focus on it keeps a place in the page. */
function hide(button: HTMLElement, isHidden: boolean): void {
  if (isHidden && document.activeElement === button) joinButton.focus();
  button.hidden = isHidden;
}

/** Ask for a key: the server wants one. */
export function askForKey(): void {
  keyField.hidden = false;
  key.focus();
}

export function showLook(look: Look, statusWords: string): void {
  const isOver = look.stage === 'ended';
  document.body.dataset['stage'] = look.stage;
  say(status, statusWords);
  say(joinButton, isOver ? 'Join' : 'Leave');
  joinButton.classList.toggle('primary', isOver);
  for (const input of [roomName, participantName, key]) input.disabled = !isOver;
  keyField.hidden ||= !isOver;
  hide(playButton, !look.isPlaybackBlocked);
  showMicrophone(look, isOver);
  showAgent(look);
}

function showMicrophone(look: Look, isOver: boolean): void {
  hide(muteButton, isOver || look.microphone === 'opening' || look.microphone === 'failed');
  muteButton.setAttribute('aria-pressed', String(look.microphone === 'muted'));
  say(element('microphone-state'), isOver ? 'off' : MICROPHONE[look.microphone]);
  showLevel(element('microphone-meter'), look.microphoneRms);
}

function showAgent(look: Look): void {
  const state = element('agent-state');
  say(element('agent-name'), look.agentName);
  say(state, agentWordsOf(look));
  state.dataset['state'] = agentWordsOf(look);
  showLevel(element('agent-meter'), look.agentRms);
}

function showLevel(meter: HTMLElement, rms: number): void {
  const level = barLevel(rms);
  meter.style.setProperty('--loudness', level.toFixed(2));
  meter.setAttribute('aria-valuenow', String(Math.round(level * 100)));
}

/** Show what is to be known of the timeline, in a line. */
export function showNote(text: string): void {
  const note = element('timeline-note');
  if (note.dataset['text'] === text) return;
  note.dataset['text'] = text;
  note.replaceChildren(...inline(text));
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
  if (advice.cure) {
    const cure = node('p', advice.cure);
    cure.prepend(Object.assign(document.createElement('strong'), { textContent: 'Do this: ' }));
    notice.append(cure);
  }
  return notice;
}

function node(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.append(...inline(text));
  return made;
}

/** Text of which every second part between backticks is code. */
function inline(text: string): (string | HTMLElement)[] {
  return text
    .split('`')
    .map((part, index) =>
      index % 2 ? Object.assign(document.createElement('code'), { textContent: part }) : part,
    );
}
