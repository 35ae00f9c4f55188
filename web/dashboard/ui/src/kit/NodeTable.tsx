import type { LiveNode } from "../types";
import { Empty } from "./Empty";
import { State } from "./State";
import { Table, type Column } from "./Table";
import { Ago } from "./Time";

const columns: Column<LiveNode>[] = [
  { head: "Node", cell: (n) => <b id={n.id}>{n.name}</b> },
  { head: "State", cell: (n) => <State state={n.state} /> },
  { head: "Roles", cell: (n) => (n.roles ?? []).join(", ") },
  { head: "Address", kind: "mono", cell: (n) => n.address || "–" },
  { head: "Load", cell: (n) => <Load score={n.score} /> },
  { head: "Instances", kind: "num", cell: (n) => n.instances },
  { head: "Tags", cell: (n) => <Tags tags={n.tags} /> },
  { head: "Last seen", kind: "end", cell: (n) => <Ago at={n.heard_at} /> },
];

// Load is the node's score: 0 idle, 1 full; the command line shows the same.
function Load({ score }: { score: number | null }) {
  if (score === null) return <span class="muted">–</span>;
  return <span class="load live" title="0 idle, 1 full"><meter min={0} max={1} low={0.7} high={0.9} optimum={0} value={score} aria-label="Load" /><span class="num">{score.toFixed(2)}</span></span>;
}

function Tags({ tags }: { tags: Record<string, string> | null }) {
  const all = Object.entries(tags ?? {}).sort();
  if (all.length === 0) return <span class="muted">–</span>;
  return <span class="tags">{all.map(([k, v]) => <span key={k} class="tag mono">{v === "" || v === "true" ? k : `${k}=${v}`}</span>)}</span>;
}

export function NodeTable({ nodes }: { nodes: LiveNode[] }) {
  if (nodes.length === 0) return <Empty title="No nodes yet." commands={["aorta nodes token"]}>Create a token for a machine to join with:</Empty>;
  return <Table label="Nodes" columns={columns} rows={nodes} keyOf={(n) => n.id} />;
}
