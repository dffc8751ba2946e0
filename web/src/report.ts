/** What the page has measured, for browser tests and for a look from the console: `__join`. */

import type { Call, Ending } from './call';
import type { Step } from './timeline';
import type { Look } from './watch';

interface Report extends Look {
  roomName: string;
  /** Milliseconds since Join was pressed, by step. */
  timeline: Partial<Record<Step, number>>;
  ending: Ending | undefined;
}

declare global {
  interface Window {
    __join?: Report;
  }
}

export function publishReport(call: Call, look: Look): void {
  window.__join = {
    ...look,
    roomName: call.request.roomName,
    timeline: call.timeline.toJSON(),
    ending: call.ending,
  };
}
