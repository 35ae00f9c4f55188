// A job and its steps: the running branch is open, ended ones are folded, and a
// failure is shown without a click.
import { useSignal } from "@preact/signals";
import { childrenOf, ended, hasState, shownState, type Tree } from "../jobstore";
import type { Job, JobLine } from "../types";
import type { Shown } from "../logstore";
import { Foreign } from "./Foreign";
import { LogView } from "./LogView";
import { widthOf } from "./rows";
import { Shape } from "./State";
import { Duration } from "./Time";

const small = 40; // up to this many jobs all branches stay open

export function JobTree({ tree }: { tree: Tree }) {
  const root = tree.jobs.get(tree.root);
  return root ? <ul class="tree" aria-label="Steps"><Row tree={tree} job={root} depth={0} /></ul> : null;
}

function Row({ tree, job, depth }: { tree: Tree; job: Job; depth: number }) {
  const state = shownState(job);
  const choice = useSignal<boolean | null>(null); // the user's choice, over the default of the state
  const children = childrenOf(tree, job.id);
  const lines = tree.lines.get(job.id) ?? [];
  const onFailedPath = hasState(tree, job.id, ["failed"]);
  const failedHere = job.state === "failed" && !children.some((c) => hasState(tree, c.id, ["failed"]));
  const branch = choice.value ?? (depth === 0 || tree.jobs.size <= small || onFailedPath || hasState(tree, job.id, ["running"]));
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
        <Duration from={job.started_at} to={job.ended_at ?? (ended(job) ? job.started_at : undefined)} />
      </button>
      {job.error && (failedHere || (job.state === "aborted" && !onFailedPath)) && <p class="error"><Foreign text={job.error} /></p>}
      {log && lines.length > 0 && <Lines lines={lines} title={job.title} few={failedHere && choice.value === null} />}
      {branch && children.length > 0 && <ul>{children.map((c) => <Row key={c.id} tree={tree} job={c} depth={depth + 1} />)}</ul>}
    </li>
  );
}

function Lines({ lines, title, few }: { lines: JobLine[]; title: string; few: boolean }) {
  const at = few ? Math.max(0, lines.length - 20) : 0;
  const shown: Shown[] = lines.slice(at).map((l, i) => ({ key: at + i + 1, time: l.time, from: "", text: l.text, width: widthOf(l.text) }));
  return <LogView lines={shown} search="" label={`Log of ${title}`} empty={null} />;
}
