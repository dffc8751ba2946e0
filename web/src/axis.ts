/** The timeline's axis: milliseconds since Join. No DOM. */

import type { Row } from './rows';

/**
 * Where the axis ends. It is the join's: what comes after the first sound has a time and no bar, or
 * a call of an hour would leave nothing to see of its first second. `elapsed` is the time now, as
 * long as the first sound is awaited.
 */
export function endOfAxis(rows: Row[], elapsed: number | undefined): number {
  const sound = rows.find(({ by, what }) => by === 'browser' && what === 'sound')?.ms;
  const last = Math.max(0, ...rows.map(({ ms }) => ms ?? 0));
  return Math.max(sound ?? elapsed ?? last, 1);
}

/** How far apart the axis's labels are: 1, 2 or 5 times a power of ten, at most four of them. */
export function tickOf(end: number): number {
  const least = Math.max(end, 4) / 4;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10);
}
