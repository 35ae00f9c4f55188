// What the API answers with, as far as the pages use it.

export interface Session { user: string; role: string; session: string; expires_at: string }
export interface OwnSession { session: string; user: string; agent: string; address: string; created_at: string; seen_at: string; current: boolean }
export interface Page<T> { items: T[]; next?: string }
export interface Accepted { job?: string; message?: string }
export interface Hello { cluster: string; version: string; epoch: number; time: string }

export interface Gone { app?: string; topic?: string; text?: string }

export interface Rates { requests_per_s: number | null; error_ratio: number | null; p95_ms: number | null; stale?: boolean }
export interface Attention { text: string; state: string; kind: string; id?: string; app?: string; since?: string }
export interface LiveNode {
  id: string; name: string; address: string; roles: string[] | null; state: string; score: number | null;
  instances: number; tags: Record<string, string> | null; heard_at: string | null;
}
export interface Overview {
  state: "ok" | "warn" | "bad"; text: string; since?: string; attention: Attention[] | null; attention_more?: number;
  apps: { total: number; serving: number; stopped: number };
  rates: Rates; nodes: LiveNode[] | null; routers: { live: number; total: number }; stale?: boolean;
}

export interface OperationRef { id: string; title: string }
export interface AppRow extends Rates {
  name: string; state: string; release: string; url: string; running: number; wanted: number;
  spark: number[] | null; operation: OperationRef | null;
}
export interface App {
  id: string; name: string; release: string; stopped: boolean; hosts: string[] | null; url: string; git_http: string;
  instances: number; wanted: number; created_at: string; version: number;
}
export interface Instance {
  id: string; app: string; release: string; type: string; node: string; address: string; state: string;
  crashing: boolean; unheard: boolean; restarts: number; error?: string; created_at: string; started_at: string | null;
}
export interface Process { type: string; command: string; quantity: number; memory: number; cpus: number }
export interface Release {
  release: string; id: string; state: string; traffic: number; image: string; commit?: string;
  created_at: string; user: string; message: string; error?: string;
}
export interface Domain { host: string; app: string; own: boolean; created_at: string }
export interface AppDetail {
  app: App; instances: Instance[] | null; formation: Process[] | null; releases: Release[] | null;
  domains: Domain[] | null; rates: Rates; operation: OperationRef | null;
}

export interface Job {
  id: string; parent?: string; kind: string; title: string; app?: string; release?: string; node?: string; state: string;
  attempt?: number; progress: { n: number; m: number; text?: string }; error: string;
  created_at?: string; started_at?: string; ended_at?: string; children: Job[] | null;
  user?: string; retry_of?: string; waits_for?: { id: string; title: string; user: string; since: string };
  attention?: boolean; discarded_at?: string; discarded_by?: string;
}
export interface JobLine { cursor?: string; job: string; time: string; text: string }

export interface LogLine { cursor?: string; time: string; instance: string; type: string; release: string; node: string; stream: string; text: string }

type Column = (number | null)[];
export interface Series {
  step_s: number; from: number; t: number[]; s2xx: Column; s3xx: Column; s4xx: Column; s5xx: Column; bytes: Column;
  p50_ms: Column; p95_ms: Column; p99_ms: Column; marks: Mark[] | null;
}

// Mark is a deploy on a graph.
export interface Mark { t: number; release: string }
