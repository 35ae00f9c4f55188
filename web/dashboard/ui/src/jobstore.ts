// One job tree as it happens: jobs by id, their lines, and whether more comes.
import { signal } from "@preact/signals";
import { get, path, said, ApiError } from "./api";
import { follow } from "./sse";
import type { Job, JobLine, Page } from "./types";

const most = 5000; // lines kept of each job

export interface Tree { root: string; jobs: ReadonlyMap<string, Job>; lines: ReadonlyMap<string, JobLine[]> }

export class JobStore {
  readonly tree = signal<Tree | null>(null);
  readonly error = signal("");
  readonly missing = signal(false);
  readonly fresh = signal(true);
  private jobs = new Map<string, Job>();
  private lines = new Map<string, JobLine[]>();
  private root = "";
  private timer = 0;
  private stop = () => {};
  private over = false;

  constructor(private readonly id: string) { void this.open(); }

  close(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.stop();
  }

  // open reads the whole tree, and follows it unless it has ended.
  async open(): Promise<void> {
    this.error.value = "";
    try {
      const root = await this.read();
      if (this.over) return;
      if (ended(root)) await this.readLines();
      else this.listen();
    } catch (err) {
      this.missing.value = err instanceof ApiError && err.status === 404;
      this.error.value = said(err);
    }
  }

  private async read(): Promise<Job> {
    const root = await get<Job>(path("jobs", this.id));
    this.root = root.id;
    this.jobs = new Map();
    this.keep(root);
    this.show();
    return root;
  }

  private async readLines(): Promise<void> {
    const { items } = await get<Page<JobLine>>(path("jobs", this.root, "log"));
    this.lines = new Map();
    for (const line of items) this.add(line);
    this.show();
  }

  private keep(job: Job): void {
    this.jobs.set(job.id, job);
    for (const child of job.children ?? []) this.keep({ ...child, parent: child.parent || job.id });
  }

  private listen(): void {
    this.stop = follow({
      url: path("jobs", this.root, "events"), silence: 40_000,
      onMessage: (event, data) => this.take(event, data),
      onAlive: () => { this.fresh.value = true; },
      onCut: () => { this.fresh.value = false; },
      onRefused: () => { void this.open(); },
    });
  }

  private take(event: string, data: unknown): void {
    if (!data) return;
    if (event === "log") this.add(data as JobLine);
    if (event === "job") this.update(data as Job);
    if (event === "end") {
      this.stop();
      void this.read().then(() => this.readLines()).catch((err: unknown) => { this.error.value = said(err); });
    }
    this.later();
  }

  // update changes one job. The stream's jobs are bare: what is known of a root
  // beyond them stays.
  private update(job: Job): void {
    const old = this.jobs.get(job.id);
    const next: Job = { ...old, ...job };
    if (old?.user && !job.user) next.user = old.user;
    if (old?.retry_of && !job.retry_of) next.retry_of = old.retry_of;
    if (!job.parent && old?.parent) next.parent = old.parent;
    this.jobs.set(job.id, next);
  }

  private add(line: JobLine): void {
    const list = this.lines.get(line.job) ?? [];
    this.lines.set(line.job, [...list.slice(-most + 1), line]);
  }

  private later(): void {
    if (!this.timer) this.timer = setTimeout(() => this.show(), 60);
  }

  private show(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.tree.value = { root: this.root, jobs: new Map(this.jobs), lines: new Map(this.lines) };
  }
}

export function ended(job: Job | undefined): boolean {
  return job?.state === "succeeded" || job?.state === "failed" || job?.state === "aborted";
}

// childrenOf is in the order of the ids, which is that of their making.
export function childrenOf(tree: Tree, id: string): Job[] {
  return [...tree.jobs.values()].filter((j) => j.parent === id && j.id !== id).sort((a, b) => (a.id < b.id ? -1 : 1));
}

// leads tells whether something below, or the job itself, is in one of the states.
export function leads(tree: Tree, id: string, states: string[]): boolean {
  if (states.includes(tree.jobs.get(id)?.state ?? "")) return true;
  return childrenOf(tree, id).some((child) => leads(tree, child.id, states));
}
