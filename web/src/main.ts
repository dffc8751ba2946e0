/** The page: puts the modules together and follows what the person does. Open this first. */

import { LogLevel, setLogLevel } from 'livekit-client';
import { adviceForLook } from './advice';
import { Call } from './call';
import { adviceForEnding, adviceForMicrophone } from './endings';
import { Follower } from './follower';
import * as memory from './memory';
import { publishReport } from './report';
import { mergeRows } from './rows';
import * as view from './view';
import { type Look, Watch } from './watch';
import { showRows } from './waterfall';
import { noteOf, statusOf } from './words';

/** Milliseconds between two looks at a call: shorter than what a meter measures. */
const LOOK_EVERY_MS = 30;

let call: Call | undefined;
let watch: Watch | undefined;
let follower: Follower | undefined;
let context: AudioContext | undefined;

function join(): void {
  const request = {
    roomName: view.roomName.value.trim(),
    participantName: view.participantName.value.trim(),
    key: view.key.value,
  };
  memory.writeRoomNameToAddress(request.roomName);
  memory.rememberJoined(request);
  context ??= new AudioContext();
  void context.resume();
  call = new Call(request);
  watch = new Watch(call, context);
  follower = new Follower(request.roomName);
  void call.join();
  show();
}

function leave(): void {
  void call?.leave();
  show();
}

function playSound(): void {
  if (call && watch?.isPlaybackBlocked)
    void Promise.all([call.room.startAudio(), context?.resume()]);
}

/** Look at the call and show it; once it has ended, for the last time. */
function show(): void {
  if (!call || !watch || !follower) return;
  const look = watch.look();
  follower.look(look);
  const { timeline, token, request } = call;
  const { room, isClosed } = follower;
  const merged = mergeRows(timeline, room?.events ?? [], token);
  view.showLook(look, statusOf(look, merged.rows, token?.agentName ?? ''));
  view.showNote(noteOf(merged, isClosed, request.roomName));
  showRows(merged.rows, timeline, look.stage === 'ended');
  view.showAdvice(adviceFor(call, look, follower));
  publishReport(call, look, merged.rows);
  if (call.ending) finish(call);
}

function finish({ ending }: Call): void {
  memory.forgetJoined();
  if (ending?.kind === 'refused' && ending.status === 401) view.askForKey();
  call = undefined;
  watch = undefined;
  follower = undefined;
}

function adviceFor({ ending, microphoneError, request, token }: Call, look: Look, told: Follower) {
  if (ending) return [adviceForEnding(ending) ?? []].flat();
  const microphone = microphoneError ? [adviceForMicrophone(microphoneError)] : [];
  const known = {
    roomName: request.roomName,
    wantedAgent: token?.agentName ?? '',
    server: told.room?.advice,
    isServerTelling: told.room !== undefined,
  };
  return [...adviceForLook(look, known), ...microphone];
}

setLogLevel(LogLevel.warn);
view.roomName.value = memory.roomNameFromAddress();
view.participantName.value = memory.participantNameFromLastTime();
view.key.value = memory.tokenKey();
showRows(mergeRows({ at: () => undefined, turns: [] }, [], undefined).rows, undefined, true);
view.form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (call) leave();
  else join();
});
view.muteButton.addEventListener('click', () => {
  void call?.setMuted(call.room.localParticipant.isMicrophoneEnabled);
});
// Whatever a person presses, Play sound or else, lets the browser play what it has held back.
for (const gesture of ['click', 'keydown']) addEventListener(gesture, playSound);
// A page that comes back from the browser's back-forward cache has lost its connection.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
setInterval(show, LOOK_EVERY_MS);
if (memory.wasJoined(view.roomName.value)) join();
