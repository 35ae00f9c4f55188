import { useMemo } from "preact/hooks";
import { path } from "../api";
import { millis, rate, took, volume } from "../format";
import { ask, query } from "../router";
import { ranges, useSeries, type Drawn, type Range } from "../series";
import type { AppDetail, Series } from "../types";
import { Card } from "../kit/Card";
import { Empty, Trouble, Wait } from "../kit/Empty";
import type { Curve } from "../kit/curves";
import { Graph } from "../kit/Graph";

export function AppGraphs({ detail }: { detail: AppDetail }) {
  const range = ranges.find((r) => r.id === query.value.get("range")) ?? ranges[0]!;
  const release = query.value.get("release") ?? "";
  const address = path("apps", detail.app.name, "series") + `?range=${range.id}` + (release ? `&release=${encodeURIComponent(release)}` : "");
  const serving = (detail.releases ?? []).filter((r) => r.traffic > 0).map((r) => r.release).slice(0, 2);
  const { drawn: d, error } = useSeries(address, range);
  return (
    <Card title="Traffic" aside={<Choice range={range.id} release={release} detail={detail} />}>
      {error && <Trouble text={error} />}
      {!d && !error && <Wait rows={14} />}
      {d?.none && <Empty title={`No request in this range${release ? ` to ${release}` : ""}.`} commands={detail.app.url ? [`curl -i ${detail.app.url}`] : []}>Requests appear here within seconds:</Empty>}
      {d && <Graphs d={d} />}
      {d && <p class="muted note">One point for each {range.step}. Dashed lines are releases.</p>}
      {d && !release && serving.length > 1 && <ByRelease app={detail.app.name} range={range} releases={serving} d={d} />}
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
      <Graph {...shared} title="Response time" curves={d.times} show={took} axis={millis} />
      <Graph {...shared} title="Bytes sent" curves={d.traffic} show={bytesPerSecond} />
    </div>
  );
}

// ByRelease has a curve for each of two releases that share the traffic.
function ByRelease({ app, range, releases: [first, second], d }: { app: string; range: Range; releases: string[]; d: Drawn }) {
  const address = (release: string | undefined) => path("apps", app, "series") + `?range=${range.id}&release=${encodeURIComponent(release ?? "")}`;
  const one = useSeries(address(first), range).drawn;
  const two = useSeries(address(second), range).drawn;
  const curves = useMemo(() => (one && two ? [total(first ?? "", "chart-1", one), total(second ?? "", "chart-3", two)] : []), [one, two]);
  if (!one) return null;
  return <div class="graphs"><Graph title="Requests by release" times={one.series.t} curves={curves} marks={d.series.marks ?? noMarks!} span={one.span} show={perSecond} /></div>;
}

// total is a release's requests with any status.
function total(name: string, colour: string, d: Drawn): Curve {
  const at = (i: number) => d.requests.reduce<number | null>((sum, c) => (c.values[i] === null ? sum : (sum ?? 0) + (c.values[i] ?? 0)), null);
  return { name, colour, values: d.series.t.map((_, i) => at(i)) };
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
