import { count } from "../format";
import { overview } from "../live";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Line } from "../kit/Line";
import { Skeleton } from "../kit/Skeleton";
import { NodeTable } from "../kit/NodeTable";
import { stateText } from "../kit/State";

export function Nodes() {
  const o = overview.value;
  if (!o) return <Skeleton title="Nodes" card="All nodes" rows={4} />;
  const nodes = o.nodes ?? [];
  const away = nodes.filter((n) => n.state !== "ready");
  const text = away.length === 0
    ? nodes.length === 1 ? "The one node is ready." : nodes.length === 2 ? "Both nodes are ready." : `All ${nodes.length} nodes are ready.`
    : `${away.length} of ${count(nodes.length, "node")} ${away.length === 1 ? "is" : "are"} not ready: ${away.map((n) => `${n.name} (${stateText(n.state)})`).join(", ")}.`;
  return (
    <>
      <Line title="Nodes" state={away.length ? "warn" : "ok"} text={nodes.length ? text : "No nodes yet."} />
      <Card title="All nodes"><NodeTable nodes={nodes} /></Card>
      <Foot text="aorta nodes" />
    </>
  );
}
