import { count, names } from "../format";
import { jobs, overview } from "../live";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Line } from "../kit/Line";
import { Skeleton } from "../kit/Skeleton";
import { Needs } from "../kit/Needs";
import { held, NodeTable, worstFirst } from "../kit/NodeTable";
import { open } from "../kit/Running";
import { stateText } from "../kit/State";
import { Work } from "../kit/Work";
import type { LiveNode } from "../types";

const mostNamed = 5;

function named(nodes: LiveNode[]): string {
  const list = nodes.slice(0, mostNamed).map((n) => `${n.name} (${held(n) ? "held" : stateText(n.state)})`);
  return names(nodes.length > mostNamed ? [...list, `${nodes.length - mostNamed} more`] : list);
}

export function Nodes() {
  const o = overview.value;
  if (!o) return <Skeleton title="Nodes" card="All nodes" rows={4} />;
  const nodes = o.nodes ?? [];
  const away = worstFirst(nodes.filter((n) => n.state !== "ready" || held(n)));
  const needs = (o.attention ?? []).filter((a) => a.node || a.kind === "node");
  const moving = [...(jobs.value?.values() ?? [])].filter((j) => open(j) && (j.kind === "drain" || j.kind === "replace"));
  const text = away.length === 0
    ? nodes.length === 1 ? "The one node is ready." : nodes.length === 2 ? "Both nodes are ready." : `All ${nodes.length} nodes are ready.`
    : `${away.length} of ${count(nodes.length, "node")} ${away.length === 1 ? "is" : "are"} not ready: ${named(away)}.`;
  return (
    <>
      <Line title="Nodes" state={away.length ? "warn" : "ok"} text={nodes.length ? text : "No nodes yet."} />
      {needs.length > 0 && <Needs list={needs} />}
      {moving.length > 0 && <Work title="Moving now" jobs={moving} />}
      <Card title="All nodes"><NodeTable nodes={worstFirst(nodes)} /></Card>
      <Foot text="aorta nodes" />
    </>
  );
}
