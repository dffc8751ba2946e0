/** What the token server tells its operator of a room: `GET /rooms/{room_name}`. */

/** Something that the server saw or did. */
export interface ServerEvent {
  /** LiveKit's clock, milliseconds since 1970. */
  at: number;
  /** `joined`, `dispatched`, …: the server's word. */
  event: string;
  /** Empty where the server does not say, as are those below. */
  participantIdentity: string;
  agentName: string;
  reason: string;
  outcome: string;
}

/** Why the agent is not there, in the words of `token-server doctor`. */
export interface ServerAdvice {
  cause: string;
  evidence: string;
  cure: string;
}

export interface ServerRoom {
  /** In the order of their times. */
  events: ServerEvent[];
  advice: ServerAdvice | undefined;
}

/** What became of one question. */
export type Answer =
  | { kind: 'room'; room: ServerRoom }
  /** It is for the holder of the operator's key only. */
  | { kind: 'closed' }
  /** Not this time: no such room (yet), or the server is slow, gone or failing. */
  | { kind: 'nothing' };

const TIMEOUT_MS = 5_000;
const CLOSED = new Set([401, 403]);

/** Ask the server that the page is from; never throws. */
export async function askForRoom(roomName: string, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(`/rooms?room_name=${encodeURIComponent(roomName)}`, {
      cache: 'no-store',
      // After everything that the call needs.
      priority: 'low',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (CLOSED.has(response.status)) return { kind: 'closed' };
    if (response.ok) return { kind: 'room', room: toServerRoom(await response.json()) };
  } catch {
    // No answer, or not JSON: something between the page and the server.
  }
  return { kind: 'nothing' };
}

/** Read the server's JSON; what is not as expected counts as not said. */
export function toServerRoom(json: unknown): ServerRoom {
  const { timeline, advice } = fields(json);
  const events = Array.isArray(timeline) ? timeline.map(toServerEvent) : [];
  return {
    events: events.filter(({ at }) => Number.isFinite(at)).sort((one, other) => one.at - other.at),
    advice: toServerAdvice(fields(advice)),
  };
}

function toServerEvent(json: unknown): ServerEvent {
  const said = fields(json);
  return {
    at: Date.parse(text(said['at'])),
    event: text(said['event']),
    participantIdentity: text(said['participant_identity']),
    agentName: text(said['agent_name']),
    reason: text(said['reason']),
    outcome: text(said['outcome']),
  };
}

function toServerAdvice(said: Record<string, unknown>): ServerAdvice | undefined {
  const [cause, evidence, cure] = [said['cause'], said['evidence'], said['cure']].map(text);
  return cure ? { cause: cause ?? '', evidence: evidence ?? '', cure } : undefined;
}

const fields = (json: unknown) =>
  (json && typeof json === 'object' ? { ...json } : {}) as Record<string, unknown>;
const text = (json: unknown) => (typeof json === 'string' ? json : '');
