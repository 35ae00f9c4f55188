// One live job tree: jobs by id, their log lines, and whether it has ended.
import { signal } from "@preact/signals";
import { get, path, messageOf, ApiError } from "./api";
import { unpressed } from "./press";
import { topicOf, type Tail } from "./tail";
import type { Gone, Job, JobLine } from "./types";

const most = 5000; // lines kept of each job

export interface Tree { root: string; jobs: ReadonlyMap<string, Job>; lines: ReadonlyMap<string, JobLine[]>; children: ReadonlyMap<string, Job[]> }

export class JobStore implements Tail {
  readonly tree = signal<Tree | null>(null);
  readonly error = signal("");
  readonly missing = signal(false);
  private jobs = new Map<string, Job>();
  private lines = new Map<string, JobLine[]>();
  private updated = new Set<string>(); // jobs received from the stream: newer than any answer
  private root = "";
  private seen = "";
  private all = false; // its end was received
  private timer = 0;
  private over = false;

  constructor(readonly key: string, private readonly ask: (id: string) => Promise<Job> = (id) => get<Job>(path("jobs", id))) {}

  topic(): string { return this.all || this.missing.value ? "" : topicOf(this.key, this.seen); }

  close(): void {
    this.over = true;
    clearTimeout(this.timer);
  }

  cut(): void {}

  // hello loads the tree again if the pacemaker was away before.
  hello(): void {
    if (this.error.value && !this.root && !this.missing.value) void this.open();
  }

  // open loads the whole tree. The stream sends the same, but not the user, and
  // nothing before the tree exists.
  async open(): Promise<void> {
    this.error.value = "";
    try {
      const root = await this.ask(this.key.slice("job:".length));
      if (this.over) return;
      this.root = root.id;
      this.keep(root);
      this.show();
    } catch (err) {
      if (this.over) return;
      this.missing.value = err instanceof ApiError && err.status === 404;
      this.error.value = messageOf(err);
    }
  }

  receive(event: string, data: unknown, id: string): void {
    if (event === "log") {
      this.seen = id;
      this.add(data as JobLine);
    } else if (event === "job") {
      this.update(data as Job);
    } else if (event === "end") {
      this.all = true;
      this.updated.clear();
      void this.open();
    } else if (event === "gone") {
      this.missing.value = true;
      this.error.value = (data as Gone).text ?? "";
    }
    this.later();
  }

  // keep stores a job of an answer with its children.
  private keep(job: Job): void {
    const old = this.jobs.get(job.id);
    this.jobs.set(job.id, old && this.updated.has(job.id) ? { ...job, ...old } : job);
    for (const child of job.children ?? []) this.keep({ ...child, parent: child.parent || job.id });
  }

  // update changes one job. The stream's jobs lack some fields of a root, which
  // are kept.
  private update(job: Job): void {
    const old = this.jobs.get(job.id);
    const next: Job = { ...old, ...job };
    if (old?.user && !job.user) next.user = old.user;
    if (old?.retry_of && !job.retry_of) next.retry_of = old.retry_of;
    if (!job.parent && old?.parent) next.parent = old.parent;
    if (!job.waits_for) delete next.waits_for;
    this.jobs.set(job.id, next);
    this.updated.add(job.id);
  }

  private add(line: JobLine): void {
    const list = this.lines.get(line.job);
    if (!list) this.lines.set(line.job, [line]);
    else if (list.push(line) > most) list.splice(0, list.length - most);
  }

  private later(): void {
    this.timer ||= setTimeout(() => unpressed(() => this.show()), 60) as unknown as number;
  }

  private show(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.root) this.tree.value = { root: this.root, jobs: new Map(this.jobs), lines: new Map(this.lines), children: byParent(this.jobs.values()) };
  }
}

// shownState is a job's state as it is displayed. A job that waits for its own
// children counts as running.
export function shownState(job: Job): string {
  const begun = job.started_at || (!job.parent && !job.waits_for);
  return job.state === "waiting" && begun ? "running" : job.state;
}

export function ended(job: Job | undefined): boolean {
  return job?.state === "succeeded" || job?.state === "failed" || job?.state === "aborted";
}

function byParent(jobs: Iterable<Job>): Map<string, Job[]> {
  const children = new Map<string, Job[]>();
  for (const job of [...jobs].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    if (!job.parent || job.parent === job.id) continue;
    const beside = children.get(job.parent);
    if (beside) beside.push(job);
    else children.set(job.parent, [job]);
  }
  return children;
}

// childrenOf returns the children by id, which is the order of creation.
export function childrenOf(tree: Tree, id: string): readonly Job[] {
  return tree.children.get(id) ?? [];
}

// hasState says whether the job or one below it is in one of the states.
export function hasState(tree: Tree, id: string, states: string[]): boolean {
  if (states.includes(tree.jobs.get(id)?.state ?? "")) return true;
  return childrenOf(tree, id).some((child) => hasState(tree, child.id, states));
}
