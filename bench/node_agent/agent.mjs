// A worker of agents-js without any code of ours, to compare with: its agent joins and plays a
// tone without end. The load counts jobs, as that of ../plain_worker.py does.
import { fileURLToPath } from 'node:url';

import { ServerOptions, cli, defineAgent } from '@livekit/agents';
import {
  AudioFrame,
  AudioSource,
  LocalAudioTrack,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';

const SAMPLE_RATE = 48_000;
const HERTZ = 440; // whole waves in a tenth of a second
const LOUDNESS = 8_000; // of 32,767
const MAX_JOBS = Number(process.env.LIVEKIT_AGENT_MAX_JOBS ?? '100');
const FULL = 0.7; // from here on a worker counts as full
const ourFile = fileURLToPath(import.meta.url);

function tenthOfASecond() {
  const samples = Int16Array.from({ length: SAMPLE_RATE / 10 }, (_, i) =>
    Math.round(LOUDNESS * Math.sin((2 * Math.PI * HERTZ * i) / SAMPLE_RATE)),
  );
  return new AudioFrame(samples, SAMPLE_RATE, 1, samples.length);
}

async function playForEver(source, context) {
  let isOver = false;
  context.addShutdownCallback(async () => {
    isOver = true;
  });
  const tone = tenthOfASecond();
  while (!isOver) await source.captureFrame(tone);
}

export default defineAgent({
  entry: async (context) => {
    await context.connect();
    const source = new AudioSource(SAMPLE_RATE, 1);
    const track = LocalAudioTrack.createAudioTrack('agent', source);
    const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
    await context.room.localParticipant.publishTrack(track, options);
    context.room.on('participantDisconnected', () => {
      if (context.room.remoteParticipants.size === 0) context.shutdown('nobody is left');
    });
    console.log(`in the room ${context.job.room.name} pid=${process.pid}`);
    void playForEver(source, context);
  },
});

if (process.argv[1] === ourFile) {
  cli.runApp(
    new ServerOptions({
      agent: ourFile,
      agentName: process.env.LIVEKIT_AGENT_NAME,
      port: Number(process.env.LIVEKIT_AGENT_PORT),
      numIdleProcesses: Number(process.env.LIVEKIT_AGENT_IDLE_PROCESSES),
      loadFunc: async (worker) => Math.min(1, (FULL * worker.activeJobs.length) / MAX_JOBS),
    }),
  );
}
