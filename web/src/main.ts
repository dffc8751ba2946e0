/** The page: puts the modules together and follows what the person does. Open this first. */

import { LogLevel, setLogLevel } from 'livekit-client';
import { adviceForLook } from './advice';
import { Call } from './call';
import { adviceForEnding, adviceForMicrophone } from './endings';
import * as memory from './memory';
import { publishReport } from './report';
import * as view from './view';
import { type Look, Watch } from './watch';

/** Milliseconds between two looks at a call: shorter than what a meter measures. */
const LOOK_EVERY_MS = 30;

let call: Call | undefined;
let watch: Watch | undefined;
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
  if (!call || !watch) return;
  const look = watch.look();
  view.showLook(look);
  view.showTimeline(call.timeline, look.stage === 'ended');
  view.showAdvice(adviceFor(call, look));
  publishReport(call, look);
  if (call.ending) finish(call);
}

function finish({ ending }: Call): void {
  memory.forgetJoined();
  if (ending?.kind === 'refused' && ending.status === 401) view.askForKey();
  call = undefined;
  watch = undefined;
}

function adviceFor({ ending, microphoneError, request }: Call, look: Look) {
  if (ending) return [adviceForEnding(ending) ?? []].flat();
  const microphone = microphoneError ? [adviceForMicrophone(microphoneError)] : [];
  return [...adviceForLook(look, request.roomName), ...microphone];
}

setLogLevel(LogLevel.warn);
view.roomName.value = memory.roomNameFromAddress();
view.participantName.value = memory.participantNameFromLastTime();
view.key.value = memory.tokenKey();
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
