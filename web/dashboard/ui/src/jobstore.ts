// One live job: its root, its steps with their log lines, and whether it has ended.
// The order of the steps is the server's.
import { signal } from "@preact/signals";
import { get, path, messageOf, ApiError } from "./api";
import { unpressed } from "./press";
import { topicOf, type Tail } from "./tail";
import type { Gone, Job, JobLine, Step } from "./types";

const most = 5000; // lines kept of each job of the tree

export interface Tree { root: Job; steps: Step[]; lines: ReadonlyMap<string, JobLine[]> }

export class JobStore implements Tail {
  readonly tree = signal<Tree | null>(null);
  readonly error = signal("");
  readonly missing = signal(false);
  private root: Job | null = null;
  private turned: Job | null = null; // the root as the stream has it, which is newer than any answer
  private steps = new Map<string, Step>();
  private updated = new Set<string>(); // steps received from the stream: newer, too
  private lines = new Map<string, JobLine[]>();
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

  // hello loads the job again if the pacemaker was away before.
  hello(): void {
    if (this.error.value && !this.root && !this.missing.value) void this.open();
  }

  // open loads the whole job. The stream sends the same, but not the user, and
  // nothing before the tree exists.
  async open(): Promise<void> {
    this.error.value = "";
    try {
      const root = await this.ask(this.key.slice("job:".length));
      if (this.over) return;
      this.root = this.turned ? turn(root, this.turned) : root;
      this.keep(root.steps ?? []);
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
    } else if (event === "step") {
      this.steps.set((data as Step).id, data as Step);
      this.updated.add((data as Step).id);
    } else if (event === "end") {
      this.all = true;
      this.turned = null;
      this.updated.clear();
      void this.open();
    } else if (event === "gone") {
      this.missing.value = true;
      this.error.value = (data as Gone).text ?? "";
    }
    this.later();
  }

  // keep takes the steps of an answer, unless the stream has newer ones.
  private keep(list: Step[]): void {
    const found = new Map(list.flatMap((s) => [s, ...s.children]).map((s) => [s.id, s]));
    for (const id of this.steps.keys()) if (!found.has(id) && !this.updated.has(id)) this.steps.delete(id);
    for (const [id, s] of found) if (!this.updated.has(id)) this.steps.set(id, s);
  }

  // update takes the root's turn: the jobs below it are shown as steps.
  private update(job: Job): void {
    if (job.parent) return;
    this.turned = job;
    if (this.root) this.root = turn(this.root, job);
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
    if (this.root) this.tree.value = { root: this.root, steps: nested([...this.steps.values()]), lines: new Map(this.lines) };
  }
}

// turn is a root of an answer as the stream says that it is by now. The stream's
// lacks some fields.
function turn(root: Job, now: Job): Job {
  const next: Job = { ...root, state: now.state, progress: now.progress, error: now.error, waits_for: now.waits_for };
  if (now.started_at) next.started_at = now.started_at;
  if (now.ended_at) next.ended_at = now.ended_at;
  if (!now.waits_for) delete next.waits_for;
  return next;
}

// nested puts lines below their steps, in their order.
function nested(all: Step[]): Step[] {
  const inOrder = (list: Step[]) => list.sort((a, b) => a.index - b.index);
  return inOrder(all.filter((s) => !s.parent)).map((s) => ({ ...s, children: inOrder(all.filter((c) => c.parent === s.id)) }));
}

// linesOf are the log lines of a step's own jobs, in the order of their times.
export function linesOf(tree: Tree, step: Step): JobLine[] {
  const logs = step.jobs.map((id) => tree.lines.get(id) ?? []).filter((l) => l.length > 0);
  if (logs.length < 2) return logs[0] ?? [];
  return logs.flat().sort((a, b) => a.time.localeCompare(b.time));
}

// shownState is a job's state as it is displayed. A job that waits for its own
// children counts as running.
export function shownState(job: Job): string {
  const begun = job.started_at || (!job.parent && !job.waits_for);
  return job.state === "waiting" && begun ? "running" : job.state;
}

export function ended(job: { state: string } | undefined): boolean {
  return job?.state === "succeeded" || job?.state === "failed" || job?.state === "aborted" || job?.state === "superseded";
}
