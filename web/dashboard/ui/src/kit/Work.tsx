import { jobAddress } from "../router";
import type { Job } from "../types";
import { Card } from "./Card";
import { Foreign } from "./Foreign";
import { step } from "./Running";
import { Shape } from "./State";
import { Duration } from "./Time";

const most = 12;

// Work lists jobs that are under way, each with where it is.
export function Work({ title, jobs }: { title: string; jobs: Job[] }) {
  const more = jobs.length > most;
  return (
    <Card title={title} aside={more ? <a href="/jobs?show=open">All {jobs.length}</a> : undefined}>
      <ul class="rows">
        {jobs.slice(0, most).map((job) => (
          <li key={job.id}>
            <Shape state={job.waits_for ? "waiting" : "active"} />
            <span class="grow"><a href={jobAddress(job.id)}><Foreign text={job.title} /></a> <span class="muted"><Foreign text={step(job)} /></span></span>
            {job.progress.m > 0 && <progress max={job.progress.m} value={job.progress.n} aria-label={`Progress: ${job.title}`} />}
            <Duration from={job.started_at ?? job.created_at} to={undefined} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
