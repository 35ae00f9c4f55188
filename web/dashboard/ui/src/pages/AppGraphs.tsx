import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, path, said } from "../api";
import { millis, rate, volume } from "../format";
import { ask, query } from "../router";
import type { AppDetail, Series } from "../types";
import { Card } from "../kit/Card";
import { Empty, Trouble, Wait } from "../kit/Empty";
import { Graph, type Curve } from "../kit/Graph";

const ranges = [
  { id: "10m", name: "10 min", s: 600, every: 5 }, { id: "6h", name: "6 h", s: 21_600, every: 30 },
  { id: "2d", name: "2 d", s: 172_800, every: 60 }, { id: "90d", name: "90 d", s: 7_776_000, every: 300 },
];

// Drawn is a series with what is worked out of it, so that a graph is drawn
// again only for another one.
interface Drawn { series: Series; requests: Curve[]; times: Curve[]; traffic: Curve[]; span: [number, number]; none: boolean }

function drawn(series: Series, seconds: number): Drawn {
  const per = (values: (number | null)[]) => values.map((v) => (v === null ? null : v / series.step_s));
  const curve = (name: string, colour: string, values: (number | null)[]): Curve => ({ name, colour, values });
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

export function AppGraphs({ detail }: { detail: AppDetail }) {
  const state = useSignal<Drawn | null>(null);
  const error = useSignal("");
  const range = ranges.find((r) => r.id === query.value.get("range")) ?? ranges[0]!;
  const release = query.value.get("release") ?? "";
  const name = detail.app.name;
  useEffect(() => {
    let over = false;
    const load = async () => {
      if (document.hidden) return;
      try {
        const series = await get<Series>(path("apps", name, "series") + `?range=${range.id}` + (release ? `&release=${encodeURIComponent(release)}` : ""));
        if (over) return;
        state.value = drawn(series, range.s);
        error.value = "";
      } catch (err) {
        if (!over) error.value = said(err);
      }
    };
    void load();
    const timer = setInterval(load, range.every * 1000);
    return () => { over = true; clearInterval(timer); };
  }, [name, range.id, release]);
  const d = state.value;
  return (
    <Card title="Traffic" aside={<Choice range={range.id} release={release} detail={detail} />}>
      {error.value && <Trouble text={error.value} />}
      {!d && !error.value && <Wait rows={6} />}
      {d?.none && <Empty title={`No request in this range${release ? ` to ${release}` : ""}.`} commands={detail.app.url ? [`curl -i ${detail.app.url}`] : []}>A request shows within seconds:</Empty>}
      {d && <Graphs d={d} />}
    </Card>
  );
}

const perSecond = (n: number | null | undefined) => (n === null || n === undefined ? "–" : rate(n) + "/s");
const bytesPerSecond = (n: number | null | undefined) => (n === null || n === undefined ? "–" : volume(n) + "/s");
const noMarks: Series["marks"] = [];

function Graphs({ d }: { d: Drawn }) {
  const shared = { times: d.series.t, marks: d.series.marks ?? noMarks!, span: d.span };
  return (
    <div class="graphs">
      <Graph {...shared} title="Requests" curves={d.requests} stacked show={perSecond} />
      <Graph {...shared} title="Response time" curves={d.times} show={millis} />
      <Graph {...shared} title="Bytes" curves={d.traffic} show={bytesPerSecond} />
    </div>
  );
}

function Choice({ range, release, detail }: { range: string; release: string; detail: AppDetail }) {
  const labels = (detail.releases ?? []).map((r) => r.release);
  if (release && !labels.includes(release)) labels.unshift(release);
  return (
    <span class="choice">
      <select aria-label="Release" value={release} onChange={(e) => ask("release", e.currentTarget.value)}>
        <option value="">all releases</option>
        {labels.map((r) => <option key={r} value={r}>{r}</option>)}
      </select>
      <span class="segments" role="group" aria-label="Range">
        {ranges.map((r) => <button key={r.id} type="button" aria-pressed={r.id === range} onClick={() => ask("range", r.id)}>{r.name}</button>)}
      </span>
    </span>
  );
}
