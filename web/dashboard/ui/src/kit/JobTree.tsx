// A job and what it is made of: the running branch open, what has ended folded,
// a failure shown without a click.
import { useSignal } from "@preact/signals";
import { childrenOf, ended, leads, shownState, type Tree } from "../jobstore";
import type { Job, JobLine } from "../types";
import type { Shown } from "../logstore";
import { Foreign } from "./Foreign";
import { LogView } from "./LogView";
import { Shape } from "./State";
import { Took } from "./Time";

const small = 40; // jobs of a tree whose branches all stay open: a sequence is a chain, one below the other

export function JobTree({ tree }: { tree: Tree }) {
  const root = tree.jobs.get(tree.root);
  return root ? <ul class="tree" aria-label="Steps"><Row tree={tree} job={root} depth={0} /></ul> : null;
}

function Row({ tree, job, depth }: { tree: Tree; job: Job; depth: number }) {
  const state = shownState(job);
  const choice = useSignal<boolean | null>(null); // what a person chose, over what the state says
  const children = childrenOf(tree, job.id);
  const lines = tree.lines.get(job.id) ?? [];
  const onFailedPath = leads(tree, job.id, ["failed"]);
  const failedHere = job.state === "failed" && !children.some((c) => leads(tree, c.id, ["failed"]));
  const branch = choice.value ?? (depth === 0 || tree.jobs.size <= small || onFailedPath || leads(tree, job.id, ["running"]));
  const log = choice.value ?? (failedHere || job.state === "running");
  const open = lines.length > 0 ? log : branch;
  const some = children.length > 0 || lines.length > 0;
  return (
    <li class={onFailedPath ? "failed" : ""}>
      <button type="button" class="job" aria-expanded={some ? open : undefined} disabled={!some} onClick={() => { choice.value = !open; }}>
        <Shape state={state === "running" ? "active" : state} />
        <span class="title"><Foreign text={job.title} /></span>
        <span class="word">{state}{job.attempt && job.attempt > 1 ? `, attempt ${job.attempt}` : ""}</span>
        {job.node && !job.title?.includes(job.node) && <span class="muted">on {job.node}</span>}
        {job.progress.text && !ended(job) && <span class="muted"><Foreign text={job.progress.text} /></span>}
        {job.progress.m > 0 && !ended(job) && <progress max={job.progress.m} value={job.progress.n} aria-label="Progress" />}
        <Took from={job.started_at} to={job.ended_at ?? (ended(job) ? job.started_at : undefined)} />
      </button>
      {job.error && (failedHere || (job.state === "aborted" && !onFailedPath)) && <p class="error"><Foreign text={job.error} /></p>}
      {log && lines.length > 0 && <Lines lines={lines} title={job.title} few={failedHere && choice.value === null} />}
      {branch && children.length > 0 && <ul>{children.map((c) => <Row key={c.id} tree={tree} job={c} depth={depth + 1} />)}</ul>}
    </li>
  );
}

function Lines({ lines, title, few }: { lines: JobLine[]; title: string; few: boolean }) {
  const at = few ? Math.max(0, lines.length - 20) : 0;
  const shown: Shown[] = lines.slice(at).map((l, i) => ({ key: at + i + 1, time: l.time, from: "", text: l.text }));
  return <LogView lines={shown} search="" label={`Log of ${title}`} empty={null} />;
}
