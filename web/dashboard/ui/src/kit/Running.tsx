// The strip of running jobs on every page. It keeps its height when there are none,
// so that nothing below it moves.
import { computed } from "@preact/signals";
import { shownState } from "../jobstore";
import { jobs } from "../live";
import { jobAddress } from "../router";
import type { Job } from "../types";
import { Foreign } from "./Foreign";
import { Shape, stateText } from "./State";
import { Ago, Duration } from "./Time";

const most = 3;

export function open(job: Job): boolean {
  return job.state === "running" || job.state === "waiting" || job.state === "ready";
}

const newest = (a: Job, b: Job) => (b.created_at ?? "").localeCompare(a.created_at ?? "");
const running = computed(() => [...(jobs.value?.values() ?? [])].filter(open).sort(newest));
const last = computed(() => [...(jobs.value?.values() ?? [])].filter((j) => j.ended_at).sort((a, b) => (b.ended_at ?? "").localeCompare(a.ended_at ?? ""))[0]);

export function Running() {
  const at = running.value;
  return (
    <aside class="running" aria-label="Running jobs">
      {at.slice(0, most).map((job) => <One key={job.id} job={job} />)}
      {at.length > most && <a class="more" href="/jobs?show=open">and {at.length - most} more</a>}
      {at.length === 0 && jobs.value && <Quiet job={last.value} />}
    </aside>
  );
}

function One({ job }: { job: Job }) {
  return (
    <a href={jobAddress(job.id)}>
      <Shape state={shownState(job) === "running" ? "active" : "waiting"} />
      <span class="what"><Foreign text={job.title} /></span>
      <span class="muted step"><Foreign text={step(job)} /></span>
      {job.progress.m > 0 && <progress max={job.progress.m} value={job.progress.n} aria-label="Progress" />}
      <Duration from={job.started_at ?? job.created_at} to={undefined} />
    </a>
  );
}

// Quiet says that no job is running, and which ended last.
function Quiet({ job }: { job: Job | undefined }) {
  if (!job) return <span class="muted quiet">No jobs running.</span>;
  return <a class="quiet" href={jobAddress(job.id)}><span class="muted">No jobs running. Last:</span><span class="step"><Foreign text={job.title} /></span><span class="muted">{stateText(job.state)} <Ago at={job.ended_at} /></span></a>;
}

// step says where an open job is.
export function step(job: Job): string {
  if (job.waits_for) return `waiting for ${job.waits_for.title}`;
  if (job.progress.text) return job.progress.text;
  return job.progress.m > 0 ? `${job.progress.n} of ${job.progress.m}` : shownState(job) === "running" ? "" : job.state;
}
