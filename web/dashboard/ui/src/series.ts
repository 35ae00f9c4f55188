// Traffic over time, reloaded while the page is visible.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, messageOf } from "./api";
import type { Curve } from "./kit/curves";
import type { Series } from "./types";

// Range is the time that a graph shows, and how often it is reloaded.
export interface Range { id: string; name: string; s: number; every: number; step: string }

// step is what one point of a graph is of.
export const ranges: Range[] = [
  { id: "10m", name: "10 min", s: 600, every: 5, step: "second" }, { id: "1h", name: "1 h", s: 3600, every: 15, step: "minute" },
  { id: "24h", name: "24 h", s: 86_400, every: 60, step: "minute" }, { id: "7d", name: "7 d", s: 604_800, every: 300, step: "hour" },
  { id: "90d", name: "90 d", s: 7_776_000, every: 300, step: "hour" },
];

// Drawn is a series with its derived values, so that a graph is redrawn only for
// a new one.
export interface Drawn { series: Series; requests: Curve[]; times: Curve[]; traffic: Curve[]; span: [number, number]; none: boolean }

const curve = (name: string, colour: string, values: (number | null)[]): Curve => ({ name, colour, values });

export function drawn(series: Series, seconds: number): Drawn {
  const counted = (i: number) => Math.min(series.step_s, series.to - (series.t[i] ?? 0)); // seconds: the last step may be under way
  const per = (values: (number | null)[]) => values.map((v, i) => (v === null ? null : v / counted(i)));
  const to = Math.max(series.from + seconds, (series.t.at(-1) ?? 0) + series.step_s);
  return {
    series, span: [to - seconds, to],
    requests: [
      curve("2xx", "chart-1", per(series.s2xx)), curve("3xx", "chart-2", per(series.s3xx)),
      curve("4xx", "chart-3", per(series.s4xx)), curve("5xx", "chart-4", per(series.s5xx)),
    ],
    times: [curve("p50", "chart-1", series.p50_ms), curve("p95", "chart-3", series.p95_ms), curve("p99", "chart-4", series.p99_ms)],
    traffic: [curve("sent", "chart-5", per(series.bytes))],
    none: !series.s2xx.some((_, i) => (series.s2xx[i] ?? 0) + (series.s3xx[i] ?? 0) + (series.s4xx[i] ?? 0) + (series.s5xx[i] ?? 0) > 0),
  };
}

// useSeries loads a series at once and then at the range's interval.
export function useSeries(address: string, range: Range): { drawn: Drawn | null; error: string } {
  const state = useSignal<Drawn | null>(null);
  const error = useSignal("");
  useEffect(() => {
    let over = false;
    const load = async () => {
      if (document.hidden) return;
      try {
        const series = await get<Series>(address);
        if (over) return;
        state.value = drawn(series, range.s);
        error.value = "";
      } catch (err) {
        if (!over) error.value = messageOf(err);
      }
    };
    void load();
    const timer = setInterval(load, range.every * 1000);
    document.addEventListener("visibilitychange", load); // nothing was loaded while it was hidden
    return () => { over = true; clearInterval(timer); document.removeEventListener("visibilitychange", load); };
  }, [address, range.id]);
  return { drawn: state.value, error: error.value };
}
