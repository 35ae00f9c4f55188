// Graphs over time. The drawing library is loaded with the first one.
import type uPlot from "uplot";
import type { AlignedData, Options } from "uplot";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { looks } from "../theme";
import type { Mark } from "../types";
import { latest, lone, momentOf, type Curve } from "./curves";

interface Props {
  title: string;
  times: number[];
  curves: Curve[];
  marks: Mark[];
  stacked?: boolean;
  show: (n: number | null | undefined) => string;
  axis?: (n: number) => string; // where it shows numbers otherwise
  span: [number, number];
  small?: boolean;
}

const height = { small: 112, full: 160 };

// stack adds each curve to those before it; gaps stay gaps.
function stack(curves: Curve[]): (number | null)[][] {
  const sums: (number | null)[][] = [];
  curves.forEach((c, i) => {
    const below = sums[i - 1];
    sums.push(c.values.map((v, at) => (v === null ? null : v + (below?.[at] ?? 0))));
  });
  return sums;
}

export function Graph(p: Props) {
  const box = useRef<HTMLDivElement>(null);
  const failed = useSignal(false);
  const pointed = useSignal(-1); // the step under the cursor
  const theme = looks.value;
  useEffect(() => {
    let end = () => {};
    let over = false;
    void import("./plot").then(({ plot }) => {
      if (!over && box.current) end = plot(box.current, options(p), data(p), p.marks, (i) => { pointed.value = i; });
    }).catch(() => { failed.value = true; });
    return () => { over = true; pointed.value = -1; end(); };
  }, [p.times, p.curves, p.marks, theme]);
  const newest = latest(p.curves);
  const at = pointed.value >= 0 ? pointed.value : newest;
  const words = p.curves.map((c) => `${c.name} ${p.show(c.values[newest])}`).join(", ");
  return (
    <figure class="graph">
      <figcaption>
        <b>{p.title}</b>
        {p.curves.map((c) => <span key={c.name} class="key"><i class={`swatch ${c.colour}`} />{c.name} <span class="num">{p.show(c.values[at])}</span></span>)}
        {at >= 0 && <span class="muted num">at {momentOf(p.times, at)}</span>}
      </figcaption>
      <div ref={box} class={p.small ? "plot small" : "plot"} role="img" aria-label={`${p.title}, last: ${words}`} />
      {failed.value && <p class="muted">The graph could not be loaded; reload the page.</p>}
    </figure>
  );
}

function data(p: Props): AlignedData {
  const columns = p.stacked ? stack(p.curves).reverse() : p.curves.map((c) => c.values);
  return [p.times, ...columns] as AlignedData;
}

// moments are the labels of the time axis, in the local time zone.
function moments(_: unknown, ticks: number[], __: number, ___: number, step: number): string[] {
  return ticks.map((t) => {
    const at = new Date(t * 1000);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;
    if (step >= 86_400 || (midnight && step >= 60)) return at.toLocaleDateString(undefined, { month: "short", day: "numeric" });
    return at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false, ...(step < 60 ? { second: "2-digit" } : {}) });
  });
}

// ceiling is a round number above all values, as the axis's maximum.
export function ceiling(max: number): number {
  if (!(max > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(max));
  return unit * ([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((n) => n * unit >= max * 1.02) ?? 12);
}

function options(p: Props): Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue("--" + name).trim();
  const curves = p.stacked ? [...p.curves].reverse() : p.curves;
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  return {
    width: 600, height: p.small ? height.small : height.full, legend: { show: false },
    cursor: { sync: { key: "page" }, drag: { x: false, y: false }, points: { show: !p.stacked } },
    scales: { x: { time: true, range: p.span }, y: { range: (_, __, max) => [0, ceiling(max)] } },
    axes: [{ ...axis, size: 28, space: 80, values: moments }, { ...axis, size: 80, space: p.small ? 20 : 30, values: (_, ticks) => ticks.map((t) => (p.axis ?? p.show)(t)) }],
    series: [{}, ...curves.map((c) => ({
      stroke: colour(c.colour), width: 1.5, spanGaps: false, points: { show: false, size: 5, filter: (u: uPlot, at: number) => lone(u.data[at]!) }, ...(p.stacked ? { fill: colour(c.colour) } : {}),
    }))],
  };
}
