/** How loud a track is. Knows Web Audio, not LiveKit. */

/** Quieter than this is silence: root mean square of samples in -1 to 1, about -46 dBFS. */
export const AUDIBLE_RMS = 0.005;

/** The quietest level that a bar shows, in dBFS. */
const FLOOR_DB = -60;

/** Root mean square of samples in -1 to 1. */
export function rootMeanSquare(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** How much of a bar is filled (0 to 1) at this loudness: linear in decibels, as ears are. */
export function barLevel(rms: number): number {
  const decibels = 20 * Math.log10(Math.max(rms, 1e-9));
  return Math.min(1, Math.max(0, 1 - decibels / FLOOR_DB));
}

/** Measures the track it follows; without one there is silence. */
export class Meter {
  readonly #context: AudioContext;
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;
  #source: MediaStreamAudioSourceNode | undefined;
  #track: MediaStreamTrack | undefined;

  constructor(context: AudioContext) {
    this.#context = context;
    // 2048 samples are 43 ms at 48 kHz, longer than the page's pause between two looks: none is missed.
    this.#analyser = new AnalyserNode(context, { fftSize: 2048 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
  }

  /** Measure this track from now on, or none. */
  follow(track: MediaStreamTrack | undefined): void {
    if (track === this.#track) return;
    this.#source?.disconnect();
    this.#track = track;
    this.#source = track && this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source?.connect(this.#analyser);
  }

  /** Loudness of the last 43 ms: root mean square of samples in -1 to 1. */
  rms(): number {
    if (!this.#track) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return rootMeanSquare(this.#samples);
  }
}
