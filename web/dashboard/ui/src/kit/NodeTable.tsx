import { clock } from "../format";
import { nodeAddress } from "../router";
import type { LiveNode } from "../types";
import { Empty } from "./Empty";
import { State } from "./State";
import { Table, type Column } from "./Table";
import { Ago, For } from "./Time";

const columns: Column<LiveNode>[] = [
  { head: "Node", cell: (n) => <a class="plain" href={nodeAddress(n.name)}><b>{n.name}</b></a> },
  { head: "State", cell: (n) => <NodeState node={n} /> },
  { head: "Roles", cell: (n) => (n.roles ?? []).join(", ") },
  { head: "Address", kind: "mono", cell: (n) => n.address || "–" },
  { head: "Load", cell: (n) => <Load score={silent(n) ? null : n.score} /> },
  { head: "Instances", kind: "num", cell: (n) => n.instances },
  { head: "Tags", cell: (n) => <Tags tags={n.tags} /> },
  { head: "Last seen", kind: "end", cell: (n) => <Ago at={n.heard_at} /> },
];

// NodeState is the node's state, since when where that matters, and what else holds
// instances off it.
function NodeState({ node: n }: { node: LiveNode }) {
  return (
    <span>
      {held(n) ? <State state="draining" word="held" /> : <State state={n.state} />}
      {n.since && <span class="why">for <For since={n.since} /></span>}
      {n.draining && silent(n) && <span class="why">to be drained</span>}
      {n.held_until && <span class="why">nothing new until {clock(new Date(n.held_until))}</span>}
    </span>
  );
}

// held says that it is ready and gets nothing new for a while, since it was dead.
export const held = (n: LiveNode): boolean => n.state === "ready" && !!n.held_until;

// silent says that what is known of a node is what was heard of it last.
export const silent = (n: LiveNode): boolean => n.state === "suspect" || n.state === "dead";

const order: Record<string, number> = { dead: 0, suspect: 1, draining: 2, drained: 3 };

// worstFirst puts those first that somebody may look for; the others stay by name.
export const worstFirst = (nodes: LiveNode[]): LiveNode[] => [...nodes].sort((a, b) => (order[a.state] ?? 4) - (order[b.state] ?? 4));

// Load is the node's score: 0 idle, 1 full; the command line shows the same.
export function Load({ score }: { score: number | null }) {
  if (score === null) return <span class="muted">–</span>;
  return <span class="load live" title="0 idle, 1 full"><meter min={0} max={1} low={0.7} high={0.9} optimum={0} value={score} aria-label="Load" /><span class="num">{score.toFixed(2)}</span></span>;
}

// Tags are those of a node; from says where each comes from.
export function Tags({ tags, from }: { tags: Record<string, string> | null; from?: Record<string, string> | null | undefined }) {
  const all = Object.entries(tags ?? {}).sort();
  if (all.length === 0) return <span class="muted">–</span>;
  return <span class="tags">{all.map(([k, v]) => <span key={k} class="tag mono" title={from?.[k]}>{v === "" || v === "true" ? k : `${k}=${v}`}{from?.[k] === "set" && <span class="muted"> set</span>}</span>)}</span>;
}

export function NodeTable({ nodes }: { nodes: LiveNode[] }) {
  if (nodes.length === 0) return <Empty title="No nodes yet." commands={["aorta nodes token"]}>Create a token for a machine to join with:</Empty>;
  return <Table label="Nodes" columns={columns} rows={nodes} keyOf={(n) => n.id} />;
}
