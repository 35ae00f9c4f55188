import { computed } from "@preact/signals";
import { millis, percent, rate } from "../format";
import { apps, overview } from "../live";
import { appAddress, jobAddress } from "../router";
import type { AppRow, Attention, Overview as State } from "../types";
import { AppTable } from "../kit/AppTable";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Empty, Wait } from "../kit/Empty";
import { Line } from "../kit/Line";
import { NodeTable } from "../kit/NodeTable";
import { For } from "../kit/Time";

const few = 12;

// first are the apps that a person would ask for: what is not well, then what
// has the most to do.
const first = computed(() => {
  const well = (a: AppRow) => ({ failed: 0, deploying: 1 })[a.state] ?? 2;
  const rows = [...(apps.value?.values() ?? [])];
  rows.sort((a, b) => well(a) - well(b) || (b.requests_per_s ?? -1) - (a.requests_per_s ?? -1) || (a.name < b.name ? -1 : 1));
  return rows.slice(0, few);
});

export function Overview() {
  const o = overview.value;
  if (!o) return <><h1>Overview</h1><Wait rows={6} /></>;
  return (
    <>
      <Line title="Overview" state={o.state} text={o.text} since={o.since} />
      {!!o.attention?.length && <Card title="Needs attention"><ul class="rows">{o.attention.map((a) => <Need key={a.kind + (a.id ?? a.app ?? "") + a.text} need={a} />)}</ul></Card>}
      <Figures o={o} />
      <Card title="Apps" aside={o.apps.total > few ? <a href="/apps">All {o.apps.total}</a> : undefined}>
        {o.apps.total === 0 ? <NoApps /> : apps.value ? <AppTable rows={first.value} /> : <Wait rows={Math.min(few, o.apps.total)} />}
      </Card>
      <Card title="Nodes"><NodeTable nodes={o.nodes ?? []} /></Card>
      <Foot text="aorta status" />
    </>
  );
}

export function NoApps() {
  return (
    <Empty title="There is no app yet." commands={["aorta apps create hello", "git push aorta main"]}>
      In the folder of a program with a Dockerfile and a git repository:
    </Empty>
  );
}

function Need({ need }: { need: Attention }) {
  const href = need.kind === "job" && need.id ? jobAddress(need.id) : need.app ? appAddress(need.app) : need.kind === "node" ? "/nodes" : "";
  return (
    <li>
      <span class="grow">{href ? <a href={href}>{need.text}</a> : need.text}</span>
      {need.since && <span class="muted">for <For since={need.since} /></span>}
    </li>
  );
}

function Figures({ o }: { o: State }) {
  const ready = (o.nodes ?? []).filter((n) => n.state === "ready").length;
  const parts: [string, string, string][] = [
    ["Requests", rate(o.rates.requests_per_s), o.rates.requests_per_s === null ? "no traffic" : "a second"],
    ["Errors", percent(o.rates.error_ratio), "5xx of all requests"],
    ["p95", millis(o.rates.p95_ms), "95 of 100 are faster"],
    ["Apps", `${o.apps.serving} of ${o.apps.total}`, o.apps.stopped ? `serve, ${o.apps.stopped} stopped` : "serve"],
    ["Nodes", `${ready} of ${o.nodes?.length ?? 0}`, "ready"],
    ["Routers", `${o.routers.live} of ${o.routers.total}`, "live"],
  ];
  return <dl class="figures live">{parts.map(([name, value, unit]) => <div key={name}><dt>{name}</dt><dd><b class="num">{value}</b> <span class="muted">{unit}</span></dd></div>)}</dl>;
}
