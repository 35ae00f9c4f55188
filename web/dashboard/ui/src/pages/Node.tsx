import { brief, bytes, clock, cores, count } from "../format";
import { gone, jobs, node, own } from "../live";
import { appAddress, jobAddress, target } from "../router";
import type { Job, NodeDetail, NodeInstance } from "../types";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Empty } from "../kit/Empty";
import { Foreign } from "../kit/Foreign";
import { Line } from "../kit/Line";
import { Needs } from "../kit/Needs";
import { Load, silent, Tags } from "../kit/NodeTable";
import { Skeleton } from "../kit/Skeleton";
import { instanceWord, State } from "../kit/State";
import { Table, type Column } from "../kit/Table";
import { Ago } from "../kit/Time";
import { Memory, Processor } from "../kit/Use";
import { Work } from "../kit/Work";
import { NodeActions } from "./NodeActions";

export function Node() {
  const { name } = target.value;
  const n = node.value;
  if (gone.value === own.value) return <Gone name={name} />;
  if (n?.name !== name) return <Skeleton title={name} rows={12} />;
  const work = workOn(n);
  return (
    <>
      <Line title={name} state={n.attention[0]?.state ?? n.state} text={words(n)} since={n.since ?? undefined} aside={<NodeActions node={n} />} />
      {n.attention.length > 0 && <Needs list={n.attention} />}
      {work.length > 0 && <Work title="Moving now" jobs={work} />}
      <Figures node={n} />
      <Card title={silent(n) ? "What ran here" : "What runs here"}>
        {n.residents.length > 0 ? <Table label={`Instances on ${name}`} columns={columns} rows={n.residents} keyOf={(i) => i.id} /> : <p class="muted">Nothing runs on {name}.</p>}
      </Card>
      <About node={n} />
      <Foot text={`aorta nodes show ${name}`} />
    </>
  );
}

const ends = new Set(["draining", "stopped", "failed"]);

// words are the node's state as a sentence.
export function words(n: NodeDetail): string {
  const stays = n.residents.filter((i) => !ends.has(i.state)).length;
  const drain = n.draining ? " It stays drained once it is back." : "";
  switch (n.state) {
    case "dead":
      return (stays === 0 ? "Dead: all that ran here runs elsewhere." : `Dead: ${count(stays, "instance")} of ${n.residents.length} not replaced yet.`) + drain;
    case "suspect":
      return `Silent: what is shown of it is what it reported last.${drain}`;
    case "draining":
      return `Draining: ${count(n.residents.length, "instance")} still here; nothing new starts here.`;
    case "drained":
      return "Drained: nothing runs here, and nothing new starts here.";
  }
  const holds = count(n.residents.length, "instance");
  return n.held_until ? `Held, with ${holds}: it was dead, and while others have room it gets nothing new until ${clock(new Date(n.held_until))}.` : `Ready, with ${holds}.`;
}

// workOn are the jobs that move what is on the node, the drain first.
function workOn(n: NodeDetail): Job[] {
  const ids = [n.drain?.id, ...n.residents.map((i) => i.work?.id)].filter((id) => id !== undefined);
  return [...new Set(ids)].map((id) => jobs.value?.get(id)).filter((job) => job !== undefined);
}

function Figures({ node: n }: { node: NodeDetail }) {
  const cpus = n.residents.reduce((sum, i) => sum + i.cpus, 0);
  const c = n.capacity;
  return (
    <dl class="figures live">
      <div><dt>Instances</dt><dd><b class="num">{n.residents.length}</b></dd></div>
      <div><dt>Memory promised</dt><dd><b class="num">{c ? bytes(c.promised) : "–"}</b> <span class="muted">{c && `of ${bytes(c.memory)}`}</span></dd></div>
      <div><dt>CPU promised</dt><dd><b class="num">{cores(cpus)}</b> <span class="muted">{c && `of ${count(c.cpus, "core")} × ${c.cpu_overcommit}`}</span></dd></div>
      <div><dt>Load</dt><dd><b class="num">{n.score === null || silent(n) ? "–" : n.score.toFixed(2)}</b> <span class="muted">of 1</span></dd></div>
      <div><dt>Last seen</dt><dd><Ago at={n.heard_at} /></dd></div>
    </dl>
  );
}

const columns: Column<NodeInstance>[] = [
  { head: "Instance", cell: (i) => <span><b>{i.type}</b> <a class="mono" href={appAddress(i.app, "logs") + "?instance=" + i.id} aria-label={`Logs of ${i.type} ${brief(i.id)}`}>{brief(i.id)}</a></span> },
  { head: "App", cell: (i) => <a class="plain" href={appAddress(i.app)}>{i.app}</a> },
  { head: "State", cell: (i) => <StateCell of={i} /> },
  { head: "Release", cell: (i) => i.release },
  { head: "CPU", cell: (i) => <Processor of={i} /> },
  { head: "Memory", cell: (i) => <Memory of={i} /> },
  { head: "Started", kind: "end", cell: (i) => <Ago at={i.started_at ?? i.created_at} /> },
];

// StateCell is the instance's state, why, and what becomes of it.
function StateCell({ of: i }: { of: NodeInstance }) {
  return (
    <span>
      <State state={i.crashing ? "crashing" : i.unheard ? "unheard" : i.state} word={instanceWord(i)} />
      {i.error && <span class="why"><Foreign text={i.error} /></span>}
      {i.work && <span class="why"><a href={jobAddress(i.work.id)}><Foreign text={i.work.title} /></a></span>}
      {i.next && <span class="why"><Foreign text={i.next} /></span>}
    </span>
  );
}

function About({ node: n }: { node: NodeDetail }) {
  return (
    <Card title="About">
      <dl class="facts">
        <div><dt>Roles</dt><dd>{(n.roles ?? []).join(", ")}</dd></div>
        <div><dt>Address</dt><dd class="mono">{n.address || "–"}</dd></div>
        {!!n.unshown_addresses?.length && <div><dt>Not shown yet</dt><dd><span class="mono">{n.unshown_addresses.join(", ")}</span><span class="why">No connection from there has reached the pacemaker, so nothing is sent there.</span></dd></div>}
        <div><dt>Tags</dt><dd><Tags tags={n.tags} from={n.tag_sources} /></dd></div>
        {!silent(n) && n.score_parts.map((p) => <div key={p.name}><dt>{p.name}</dt><dd><Load score={p.value} /> <span class="muted">{p.text}</span></dd></div>)}
        {!!n.generation && <div><dt>Routes</dt><dd>generation <span class="num">{n.generation}</span></dd></div>}
        <div><dt>Joined</dt><dd><Ago at={n.created_at} /></dd></div>
        <div><dt>Id</dt><dd class="mono">{n.id}</dd></div>
      </dl>
    </Card>
  );
}

function Gone({ name }: { name: string }) {
  return (
    <>
      <Line title={name} state="stopped" text={`There is no node ${name}.`} />
      <Empty title="It was removed, or it never joined." commands={["aorta nodes"]}><a href="/nodes">All nodes</a></Empty>
    </>
  );
}
