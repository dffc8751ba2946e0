// One join, timed from the press of the button; evaluated in a page of the token server's origin.
// `url` and `token` are null when they are to be fetched from /token; `pauseMs` comes after that.
window.measureJoin = async ({ url, token, pauseMs, timeoutMs }) => {
  const { Room, RoomEvent, Track } = window.LivekitClient;
  const askedAt = performance.now();
  if (token === null) {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/token", { method: "POST", headers, body: "{}" });
    if (!answer.ok) throw new Error(`/token answered ${answer.status}`);
    ({ server_url: url, participant_token: token } = await answer.json());
  }
  const tokenMs = performance.now() - askedAt;
  await new Promise((resolve) => setTimeout(resolve, pauseMs));

  const room = new Room();
  const subscribedAt = new Promise((resolve, reject) => {
    room.on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
      if (participant.isAgent && track.kind === Track.Kind.Audio) resolve(performance.now());
    });
    setTimeout(() => reject(new Error("no agent in time")), timeoutMs);
  });
  const pressedAt = performance.now();
  try {
    await room.connect(url, token);
    const connectedMs = performance.now() - pressedAt;
    const microphone = room.localParticipant.setMicrophoneEnabled(true);
    const subscribedMs = (await subscribedAt) - pressedAt;
    await microphone;
    return { tokenMs, connectedMs, subscribedMs };
  } finally {
    await room.disconnect();
  }
};
