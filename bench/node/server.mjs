// The token server that LiveKit's documentation shows for Node.js, to compare with: createRoom,
// then a token that names the agent. As many processes as ours (WEB_CONCURRENCY, or 2). Reads
// LIVEKIT_* and PORT from the environment.
import cluster from "node:cluster";
import { createServer } from "node:http";
import {
  AccessToken,
  RoomAgentDispatch,
  RoomConfiguration,
  RoomServiceClient,
  WebhookReceiver,
} from "livekit-server-sdk";

const { LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET, LIVEKIT_AGENT_NAME, PORT } = process.env;

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function serve() {
  const rooms = new RoomServiceClient(LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET);
  const webhooks = new WebhookReceiver(LIVEKIT_API_KEY, LIVEKIT_API_SECRET);

  async function mint(body) {
    const { room_name: room, participant_identity: identity } = JSON.parse(body);
    await rooms.createRoom({ name: room, emptyTimeout: 300, departureTimeout: 20 });
    const token = new AccessToken(LIVEKIT_API_KEY, LIVEKIT_API_SECRET, { identity });
    token.addGrant({ roomJoin: true, room });
    const agent = new RoomAgentDispatch({ agentName: LIVEKIT_AGENT_NAME });
    token.roomConfig = new RoomConfiguration({ agents: [agent] });
    return { server_url: LIVEKIT_URL, participant_token: await token.toJwt() };
  }

  async function answer(request) {
    if (request.url === "/readyz") return [200, {}];
    const body = await bodyOf(request);
    if (request.url === "/token") return [201, await mint(body)];
    await webhooks.receive(body, request.headers.authorization);
    return [200, {}];
  }

  createServer((request, response) => {
    answer(request)
      .catch((error) => [500, { code: "internal", msg: String(error) }])
      .then(([status, value]) => {
        const text = JSON.stringify(value);
        const length = Buffer.byteLength(text);
        response.writeHead(status, { "Content-Type": "application/json", "Content-Length": length });
        response.end(text);
      });
  }).listen(Number(PORT), "127.0.0.1");
}

if (cluster.isPrimary) {
  const processes = Number(process.env.WEB_CONCURRENCY ?? 2);
  for (let number = 0; number < processes; number += 1) cluster.fork();
} else {
  serve();
}
