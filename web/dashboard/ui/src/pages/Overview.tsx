import type { ComponentChildren } from "preact";
import { computed } from "@preact/signals";
import { path } from "../api";
import { count, rate, took } from "../format";
import { apps, overview } from "../live";
import { ranges, useSeries } from "../series";
import type { AppRow, Mark, Overview as State } from "../types";
import { AppTable } from "../kit/AppTable";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Empty, Trouble, Wait } from "../kit/Empty";
import { Errors } from "../kit/Errors";
import type { Curve } from "../kit/curves";
import { Graph } from "../kit/Graph";
import { Line } from "../kit/Line";
import { Skeleton } from "../kit/Skeleton";
import { Needs } from "../kit/Needs";
import { held, NodeTable, worstFirst } from "../kit/NodeTable";

const few = 12;

// first are the apps to show first: those that fail, then those with the most
// requests.
const first = computed(() => {
  const well = (a: AppRow) => ({ failed: 0, deploying: 1 })[a.state] ?? 2;
  const rows = [...(apps.value?.values() ?? [])];
  rows.sort((a, b) => well(a) - well(b) || (b.requests_per_s ?? -1) - (a.requests_per_s ?? -1) || (a.name < b.name ? -1 : 1));
  return rows.slice(0, few);
});

export function Overview() {
  const o = overview.value;
  if (!o) return <Skeleton title="Overview" rows={16} />;
  const list = o.attention ?? [];
  const needs = list.length + (o.attention_more ?? 0);
  return (
    <>
      <Line title="Overview" state={o.state} text={needs ? `${count(needs, "thing needs", "things need")} attention.` : o.text} since={o.since} />
      {needs > 0 && <Needs list={list} more={needs - list.length} />}
      <Figures o={o} />
      {o.apps.total > 0 && <Traffic />}
      <Card title="Apps" aside={o.apps.total > few ? <a href="/apps">All {o.apps.total}</a> : undefined}>
        {o.apps.total === 0 ? o.stale ? <Unknown /> : <NoApps /> : apps.value ? <AppTable rows={first.value} /> : <Wait rows={Math.min(few, o.apps.total)} />}
      </Card>
      <Card title="Nodes" aside={(o.nodes ?? []).length > few ? <a href="/nodes">All {o.nodes.length}</a> : undefined}>
        {o.stale && !o.nodes?.length ? <Unknown /> : <NodeTable nodes={worstFirst(o.nodes ?? []).slice(0, few)} />}
      </Card>
      <Foot text="aorta status" />
    </>
  );
}

// Unknown is shown in place of a list that could not be loaded.
function Unknown() {
  return <p class="muted">Unknown: the database does not answer.</p>;
}

export function NoApps() {
  return (
    <Empty title="No apps yet." commands={["aorta apps create hello", "git push aorta main"]}>
      In a git repository with a Dockerfile, run:
    </Empty>
  );
}

const minutes = { ...ranges[0]!, every: 10 }; // with steps of ten seconds
const noMarks: Mark[] = [];
const none: { times: number[]; curves: Curve[]; span: [number, number] } = { times: [], curves: [], span: [0, 600] };
const perSecond = (n: number | null | undefined) => (n === null || n === undefined ? "–" : rate(n) + "/s");

// Traffic is the cluster's last ten minutes.
function Traffic() {
  const { drawn: d, error } = useSeries(path("series") + "?range=" + minutes.id, minutes);
  return (
    <Card title="Traffic of all apps" aside={<span class="muted">10 minutes</span>}>
      {error && !d ? <Trouble text={error} />
        : <Graph title="Requests" small stacked times={d?.series.t ?? none.times} curves={d?.requests ?? none.curves} marks={noMarks} span={d?.span ?? none.span} show={perSecond} />}
    </Card>
  );
}

function Figures({ o }: { o: State }) {
  const ready = (o.nodes ?? []).filter((n) => n.state === "ready" && !held(n)).length;
  const parts: [string, ComponentChildren, string][] = [
    ["Requests", rate(o.rates.requests_per_s), o.rates.requests_per_s === null ? "no traffic" : "per second"],
    ["Error rate", <Errors ratio={o.rates.error_ratio} />, "5xx, last 10 s"],
    ["Response time", took(o.rates.p95_ms), "p95"],
    ["Apps", `${o.apps.serving} of ${o.apps.total}`, o.apps.stopped ? `running, ${o.apps.stopped} stopped` : "running"],
    ["Nodes", `${ready} of ${o.nodes?.length ?? 0}`, "ready"],
    ["Routers", `${o.routers.live} of ${o.routers.total}`, "ready"],
  ];
  return <dl class="figures live">{parts.map(([name, value, unit]) => <div key={name}><dt>{name}</dt><dd><b class="num">{value}</b> <span class="muted">{unit}</span></dd></div>)}</dl>;
}
