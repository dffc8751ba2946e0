/** Where tokens come from: the server's `/token`, through LiveKit's own client convention. */

import { decodeTokenPayload, TokenSource } from 'livekit-client';

export interface Token {
  serverUrl: string;
  participantToken: string;
  participantIdentity: string;
  /** The agent that the token asks for; empty for one without a name. */
  agentName: string;
}

export interface TokenRequest {
  roomName: string;
  participantName: string;
  /** Bearer key for a server with TOKEN_AUTH=key; empty for none. */
  key: string;
}

/** `/token` refused, or did not answer (status 0). */
export class TokenError extends Error {
  override readonly name = 'TokenError';

  constructor(
    readonly status: number,
    /** The server's word for what is wrong, in Twirp's vocabulary. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** What livekit-client 2.23 throws for an answer that is not 2xx: `… received 400 / <body>`. */
const REFUSED = /received (\d{3}) \/ ([^]*)$/;

/** Turn whatever `TokenSource.endpoint` threw into the server's own words. */
export function toTokenError(error: unknown): TokenError {
  const text = error instanceof Error ? error.message : String(error);
  const refused = REFUSED.exec(text);
  if (!refused) return new TokenError(0, 'unreachable', text);
  const [, status = '0', body = ''] = refused;
  try {
    const { code, msg } = JSON.parse(body) as { code?: unknown; msg?: unknown };
    if (typeof code === 'string' && typeof msg === 'string') {
      return new TokenError(Number(status), code, msg);
    }
  } catch {
    // Not our server's JSON: something between the page and it answered, a proxy for example.
  }
  return new TokenError(Number(status), `http_${status}`, 'The answer was not JSON.');
}

/** Ask for a token to join a room; throws a TokenError. */
export async function fetchToken({ roomName, participantName, key }: TokenRequest): Promise<Token> {
  const headers: Record<string, string> = key ? { Authorization: `Bearer ${key}` } : {};
  const source = TokenSource.endpoint('/token', { headers });
  const options = participantName ? { roomName, participantName } : { roomName };
  try {
    return toToken(await source.fetch(options));
  } catch (error) {
    throw toTokenError(error);
  }
}

function toToken(answer: { serverUrl: string; participantToken: string }): Token {
  const { sub = '', roomConfig } = decodeTokenPayload(answer.participantToken);
  const agentName = roomConfig?.agents?.[0]?.agentName ?? '';
  return { ...answer, participantIdentity: sub, agentName };
}
