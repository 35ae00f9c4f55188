// What a graph says beside what it draws.
import { clock } from "../format";

export interface Curve { name: string; colour: string; values: (number | null)[] }

// latest is the newest step in which any curve has a value; -1 for none.
export function latest(curves: Curve[]): number {
  return Math.max(-1, ...curves.map((c) => c.values.findLastIndex((v) => v !== null)));
}

// lone are the steps with a value and none beside them: no line leads there.
export function lone(values: ArrayLike<number | null | undefined>): number[] {
  const none = (i: number) => values[i] === null || values[i] === undefined;
  return Array.from(values, (_, i) => i).filter((i) => !none(i) && none(i - 1) && none(i + 1));
}

// momentOf is the time of a step, as exact as the steps are long.
export function momentOf(times: number[], i: number): string {
  const step = (times[1] ?? 0) - (times[0] ?? 0);
  const at = new Date((times[i] ?? 0) * 1000);
  if (step < 60) return clock(at);
  const day = step < 3600 ? {} : { month: "short", day: "numeric" } as const;
  return at.toLocaleString(undefined, { ...day, hour: "2-digit", minute: "2-digit", hour12: false });
}
