import type { ComponentChildren } from "preact";
import { computed, useSignal } from "@preact/signals";
import { path } from "../api";
import { rate, took } from "../format";
import { apps, overview } from "../live";
import { appAddress, jobAddress } from "../router";
import { ranges, useSeries } from "../series";
import type { AppRow, Attention, Mark, Overview as State } from "../types";
import { AppTable } from "../kit/AppTable";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Empty, Trouble, Wait } from "../kit/Empty";
import { Errors } from "../kit/Errors";
import { Foreign } from "../kit/Foreign";
import type { Curve } from "../kit/curves";
import { Graph } from "../kit/Graph";
import { Line } from "../kit/Line";
import { Skeleton } from "../kit/Skeleton";
import { NodeTable } from "../kit/NodeTable";
import { Shape } from "../kit/State";
import { For } from "../kit/Time";

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
  return (
    <>
      <Line title="Overview" state={o.state} text={o.text} since={o.since} />
      {!!o.attention?.length && <Needs list={o.attention} more={o.attention_more ?? 0} />}
      <Figures o={o} />
      {o.apps.total > 0 && <Traffic />}
      <Card title="Apps" aside={o.apps.total > few ? <a href="/apps">All {o.apps.total}</a> : undefined}>
        {o.apps.total === 0 ? o.stale ? <Unknown /> : <NoApps /> : apps.value ? <AppTable rows={first.value} /> : <Wait rows={Math.min(few, o.apps.total)} />}
      </Card>
      <Card title="Nodes">{o.stale && !o.nodes?.length ? <Unknown /> : <NodeTable nodes={o.nodes ?? []} />}</Card>
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

const shownNeeds = 6; // the rest is a click away

// Needs lists what needs attention, the worst first. What the cluster left out
// of the list is on the page that has all of it.
function Needs({ list, more }: { list: Attention[]; more: number }) {
  const all = useSignal(false);
  const nodes = list.some((a) => a.kind === "node" || a.kind === "router") && !list.some((a) => a.kind === "job");
  const folded = all.value ? 0 : Math.max(0, list.length - shownNeeds);
  return (
    <Card title="Needs attention" aside={<span class="muted num">{list.length + more}</span>}>
      <ul class="rows">
        {list.slice(0, list.length - folded).map((a) => <Need key={a.kind + (a.id ?? a.app ?? "") + a.text} need={a} />)}
        {folded > 0 && <li><Button kind="quiet" onClick={() => { all.value = true; }}>and {folded + more} more</Button></li>}
        {folded === 0 && more > 0 && <li><a class="grow" href={nodes ? "/nodes" : "/jobs?show=attention"}>and {more} more</a></li>}
      </ul>
    </Card>
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

function Need({ need }: { need: Attention }) {
  const href = need.kind === "job" && need.id ? jobAddress(need.id) : need.app ? appAddress(need.app) : need.kind === "node" ? "/nodes" : "";
  return (
    <li>
      <Shape state={need.state} />
      <span class="grow clip">{href ? <a href={href}><Foreign text={need.text} /></a> : <Foreign text={need.text} />}</span>
      {need.since && <span class="muted">for <For since={need.since} /></span>}
    </li>
  );
}

function Figures({ o }: { o: State }) {
  const ready = (o.nodes ?? []).filter((n) => n.state === "ready").length;
  const parts: [string, ComponentChildren, string][] = [
    ["Requests", rate(o.rates.requests_per_s), o.rates.requests_per_s === null ? "no traffic" : "per second"],
    ["Error rate", <Errors ratio={o.rates.error_ratio} />, "5xx"],
    ["Response time", took(o.rates.p95_ms), "p95"],
    ["Apps", `${o.apps.serving} of ${o.apps.total}`, o.apps.stopped ? `running, ${o.apps.stopped} stopped` : "running"],
    ["Nodes", `${ready} of ${o.nodes?.length ?? 0}`, "ready"],
    ["Routers", `${o.routers.live} of ${o.routers.total}`, "ready"],
  ];
  return <dl class="figures live">{parts.map(([name, value, unit]) => <div key={name}><dt>{name}</dt><dd><b class="num">{value}</b> <span class="muted">{unit}</span></dd></div>)}</dl>;
}
