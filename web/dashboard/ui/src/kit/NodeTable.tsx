import type { LiveNode, Node } from "../types";
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

// Known is a node with what only its own page shows of it, once that is loaded.
interface Known extends LiveNode { more: Node | undefined }

const explained: Column<Known>[] = [
  ...columns.map((c) => ({ ...c, kind: c.head === "Load" ? "wide" : c.kind, cell: c.head === "Load" ? (n: Known) => <Parts node={n} /> : c.head === "Tags" ? (n: Known) => <Tags tags={n.tags} from={n.more?.tag_sources} /> : c.cell } as Column<Known>)),
  { head: "Joined", kind: "end", cell: (n) => (n.more ? <Ago at={n.more.created_at} /> : "–") },
];

// Parts are the load, and what it is the largest of.
function Parts({ node: { score, more } }: { node: Known }) {
  return (
    <span>
      <Load score={score} />
      {more?.score_parts?.map((p) => <span key={p.name} class="why"><b>{p.name}</b> <span class="num">{p.value.toFixed(2)}</span>: {p.text}</span>)}
    </span>
  );
}

// ExplainedNodes is the table with the parts of the load, where tags come from, and
// since when each node is there.
export function ExplainedNodes({ nodes, more }: { nodes: LiveNode[]; more: ReadonlyMap<string, Node> }) {
  if (nodes.length === 0) return <NodeTable nodes={nodes} />;
  return <Table label="Nodes" columns={explained} rows={nodes.map((n) => ({ ...n, more: more.get(n.id) }))} keyOf={(n) => n.id} />;
}

function Tags({ tags, from }: { tags: Record<string, string> | null; from?: Record<string, string> | null | undefined }) {
  const all = Object.entries(tags ?? {}).sort();
  if (all.length === 0) return <span class="muted">–</span>;
  return <span class="tags">{all.map(([k, v]) => <span key={k} class="tag mono" title={from?.[k]}>{v === "" || v === "true" ? k : `${k}=${v}`}{from?.[k] === "set" && <span class="muted"> set</span>}</span>)}</span>;
}

export function NodeTable({ nodes }: { nodes: LiveNode[] }) {
  if (nodes.length === 0) return <Empty title="No nodes yet." commands={["aorta nodes token"]}>Create a token for a machine to join with:</Empty>;
  return <Table label="Nodes" columns={columns} rows={nodes} keyOf={(n) => n.id} />;
}
