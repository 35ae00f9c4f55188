// The slim strip of what runs now, on every page.
import { jobs } from "../live";
import { jobAddress } from "../router";
import type { Job } from "../types";
import { Shape } from "./State";
import { Took } from "./Time";

const most = 3;

export function open(job: Job): boolean {
  return job.state === "running" || job.state === "waiting" || job.state === "ready";
}

export function Running() {
  const at = [...(jobs.value?.values() ?? [])].filter(open).sort((a, b) => (b.created_at ?? "").localeCompare(a.created_at ?? ""));
  if (at.length === 0) return null;
  return (
    <aside class="running" aria-label="Running jobs">
      {at.slice(0, most).map((job) => (
        <a key={job.id} href={jobAddress(job.id)}>
          <Shape state={job.state === "running" ? "active" : "waiting"} />
          <span class="what">{job.title}</span>
          <span class="muted step">{step(job)}</span>
          {job.progress.m > 0 && <progress max={job.progress.m} value={job.progress.n} aria-label="Progress" />}
          <Took from={job.started_at ?? job.created_at} to={undefined} />
        </a>
      ))}
      {at.length > most && <a href="/jobs">and {at.length - most} more</a>}
    </aside>
  );
}

function step(job: Job): string {
  if (job.waits_for) return `waits for ${job.waits_for.title}`;
  if (job.progress.text) return job.progress.text;
  return job.progress.m > 0 ? `${job.progress.n} of ${job.progress.m}` : job.state === "running" ? "" : job.state;
}
