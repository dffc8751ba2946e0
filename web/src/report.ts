/** What the page has measured, for browser tests and for a look from the console: `__join`. */

import type { Call, Ending } from './call';
import type { Row } from './rows';
import type { Step } from './timeline';
import type { Look } from './watch';

interface Report extends Look {
  roomName: string;
  /** Milliseconds since Join was pressed, by step. */
  timeline: Partial<Record<Step, number>>;
  /** The same with the server's events between them. */
  rows: Row[];
  ending: Ending | undefined;
}

declare global {
  interface Window {
    __join?: Report;
  }
}

export function publishReport(call: Call, look: Look, rows: Row[]): void {
  window.__join = {
    ...look,
    roomName: call.request.roomName,
    timeline: call.timeline.toJSON(),
    rows,
    ending: call.ending,
  };
}
