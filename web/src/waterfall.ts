/** Draws the timeline as a waterfall: each bar begins where the one above ended. Decides nothing. */

import { endOfAxis, tickOf } from './axis';
import type { Row } from './rows';
import type { Timeline } from './timeline';
import { labelOf, millisecondsOf } from './words';

/** Show the rows; the first step that has not happened grows as long as the call goes on. */
export function showRows(rows: Row[], timeline: Timeline | undefined, isOver: boolean): void {
  const running = isOver || !timeline ? undefined : rows.find(({ ms }) => ms === undefined);
  const elapsed = timeline?.elapsed() ?? 0;
  const end = endOfAxis(rows, running && elapsed);
  const list = document.getElementById('timeline') as HTMLElement;
  let from = 0;
  for (const [index, row] of rows.entries()) {
    const item = (list.children[index] ?? list.appendChild(emptyItem())) as HTMLElement;
    const to = row === running ? elapsed : (row.ms ?? from);
    fill(item, row, row === running);
    item.toggleAttribute('data-later', to > end);
    item.style.setProperty('--from', (from / end).toFixed(4));
    item.style.setProperty('--to', (to / end).toFixed(4));
    from = to;
  }
  while (list.children.length > rows.length) list.lastElementChild?.remove();
  drawAxis(timeline ? end : 0);
}

function emptyItem(): HTMLElement {
  const item = document.createElement('li');
  item.innerHTML =
    '<span class="by"></span> <span class="step"><span></span> <span class="detail"></span></span>' +
    ' <span class="bar"></span><span class="ms"></span>';
  return item;
}

function fill(item: HTMLElement, row: Row, isRunning: boolean): void {
  item.dataset['by'] = row.by;
  item.dataset['progress'] = isRunning ? 'running' : row.ms === undefined ? 'none' : 'done';
  const texts = {
    '.by': row.by,
    '.step > :first-child': labelOf(row),
    '.detail': row.detail,
    '.ms': millisecondsOf(row.ms),
  };
  for (const [part, text] of Object.entries(texts)) {
    const shown = item.querySelector(part);
    if (shown && shown.textContent !== text) shown.textContent = text;
  }
}

/** Write the milliseconds over the bars; nothing before the first join. */
function drawAxis(end: number): void {
  const axis = document.getElementById('axis') as HTMLElement;
  const card = axis.parentElement as HTMLElement;
  axis.hidden = end === 0;
  const tick = tickOf(end);
  card.style.setProperty('--tick', (tick / end).toFixed(4));
  const labels = end ? [0, 1, 2, 3, 4].map((index) => index * tick).filter((ms) => ms <= end) : [];
  const now = labels.join();
  if (axis.dataset['labels'] !== now) {
    axis.dataset['labels'] = now;
    axis.replaceChildren(...labels.map(toLabel));
  }
  for (const [index, label] of [...axis.children].entries()) {
    const at = (index * tick) / end;
    (label as HTMLElement).style.setProperty('--at', at.toFixed(4));
    label.toggleAttribute('data-is-last', at > 0.95);
  }
}

const toLabel = (ms: number) =>
  Object.assign(document.createElement('span'), { textContent: millisecondsOf(ms) });
