// Written by scripts/tstypes from the shapes in web/wire: go generate ./web/wire

export interface Page<T> {
  items: T[];
  next?: string;
  total?: number; // on all pages, if it was asked for and there are any
}

export interface Session {
  user: string;
  role: string;
  session?: string; // id of the session
  expires_at?: string; // when the session ends if it is not used before
}

export interface OwnSession {
  session: string; // id of the session
  user: string;
  agent: string; // the browser's User-Agent at sign-in
  address: string; // address that signed in, without its port
  created_at: string;
  seen_at: string; // last use, to the minute
  expires_at: string; // when the session ends if it is not used before
  current: boolean; // the session of this request
}

export interface Accepted {
  job?: string; // id of the job; empty if there was nothing to do
  message?: string;
}

export interface Hello {
  cluster: string;
  version: string;
  epoch: number;
  time: string;
}

export interface Gone {
  app?: string; // name, of the topic app:NAME
  node?: string; // name, of the topic node:NAME
  topic?: string; // of a job or a log, without its query and position
  text?: string; // why, and what to do
}

export interface Rates {
  requests_per_s: number | null;
  error_ratio: number | null; // share of 5xx, 0 to 1
  p95_ms: number | null;
  stale?: boolean; // the statistics do not answer: the rates are unknown
}

export interface Attention {
  text: string;
  state: string; // warn or bad
  kind: string; // job, node, app, router, redis, sql, engine or disk
  id?: string; // of the job or node; of a part its name and node
  app?: string; // name
  node?: string; // name, of what is wrong with one node, or can't leave it
  since?: string; // left out where it lasts for longer than anybody has watched
}

export interface LiveNode extends NodeFacts {
  heard_at: string | null;
}

export interface Overview {
  state: "ok" | "warn" | "bad";
  text: string; // the same as a sentence
  since?: string; // left out where it lasts for longer than anybody has watched
  stale?: boolean; // the database does not answer: apps, nodes and routers are as last known
  attention: Attention[]; // the worst first, at most 50
  attention_more?: number; // how many more there are
  apps: LiveApps;
  rates: Rates;
  nodes: LiveNode[];
  routers: LiveRouters;
}

export interface OperationRef {
  id: string;
  title: string;
}

export interface AppRow extends Rates {
  name: string;
  state: string; // serving, running (without a web process), deploying, stopped, failed or empty
  severity: "ok" | "warn" | "bad";
  verdict: string; // how the app is, in words
  release: string;
  url: string;
  running: number;
  wanted: number;
  spark: number[] | null; // requests per ten seconds of the last ten minutes, oldest first; null if unknown
  operation: OperationRef | null;
}

export interface App {
  id: string;
  name: string;
  release: string; // label of the current release, empty before the first deploy
  stopped: boolean;
  hosts: string[];
  grants?: string[]; // capabilities that an admin granted
  url: string; // URL of the app's default domain, empty while its release has no web process
  git_http: string;
  state: string; // serving, running (without a web process), deploying, stopped, failed or empty
  severity: "ok" | "warn" | "bad";
  verdict: string; // how the app is, in words
  instances: number; // running now
  wanted: number;
  created_at: string;
  version: number;
}

export interface Instance {
  id: string;
  app: string;
  release: string;
  type: string;
  node: string;
  address: string; // ip:port, empty when the type takes no traffic
  state: string;
  verdict: string; // how it is, in words
  crashing: boolean; // it ended by itself, and has not run for five minutes since
  unheard: boolean;
  restarts: number;
  error?: string;
  created_at: string;
  started_at: string | null;
  cpu: number | null; // cores in use, a mean of ten seconds; null when not known
  cpus: number; // cores that it may use
  memory: number | null; // bytes in use, without caches; null when not known
  memory_limit: number; // bytes that it may use
}

export interface Process {
  type: string;
  command: string;
  quantity: number;
  memory: number; // bytes
  cpus: number;
  require: string[]; // tags that a node must have, each KEY or KEY=VALUE
  prefer: string[]; // tags of nodes that are taken first, likewise
  set: string[]; // which of quantity, memory, cpus, require and prefer a person has set; the others are the source's, or defaults
  exclusive?: boolean; // no two instances of it run at once
  stop_when_cut_off?: boolean; // it ends by itself where its node does not reach the pacemaker, so that another one may start once the node counts as dead
}

export interface Node extends NodeFacts, NodeDetails {
  heard_ago: number | null; // seconds since its last report; null before the first
}

export interface Build {
  id: string; // of its job
  build: string; // its own id
  app: string;
  kind: "commit" | "archive" | "image"; // what it is made of
  source: string; // the commit, the SHA-256 of the archive, or the image
  title: string; // of its job
  message: string; // of the commit
  user: string;
  state: "running" | "succeeded" | "failed" | "aborted"; // of the build alone: what comes after it may fail; running: or waiting for its turn
  error: string;
  image: string; // its reference; empty until there is one
  size: number; // bytes of the image; 0 until there is one
  steps: number; // of the Dockerfile; 0 for an image that existed, and when it failed
  cached: number; // of those, how many were taken from the cache
  duration_s: number; // seconds, without the wait for its turn; 0 until it has ended
  release: string; // that was made of it; empty for none
  created_at: string;
  ended_at: string | null;
}

export interface Release {
  release: string;
  id: string;
  state: string;
  traffic: number; // share of requests in percent
  image: string;
  commit?: string;
  created_at: string;
  user: string; // who made the release
  message: string;
  author?: string; // who wrote the commit; empty when it is of none
  error?: string;
}

export interface RollbackPlan {
  from: string;
  release: string;
  message: string;
  commit?: string;
  set: string[];
  unset: string[];
  instances: number;
}

export interface Domain {
  host: string;
  app: string;
  own: boolean; // the app's default domain, which can't be removed
  former: boolean; // its default domain before the cluster's domain changed; it serves until it is removed
  source: boolean; // aorta.yml asks for it: it goes when that does no more
  created_at: string;
}

export interface AppDetail {
  app: App;
  state: string; // as the app's
  instances: Instance[];
  formation: Process[];
  releases: Release[]; // the newest 20
  domains: Domain[];
  rates: Rates;
  spark: number[] | null; // as in the list of apps
  operation: OperationRef | null;
}

export interface NodeDetail extends LiveNode, NodeDetails {
  attention: Attention[]; // what is wrong with the node, the worst first
  drain: OperationRef | null; // the operation that empties it; null while none does
  residents: NodeInstance[];
}

export interface Plan {
  changes: boolean; // something would be another than it is
  steps: PlanStep[];
  missing: PlanMissing[]; // what would find no node; a change of process types would fail by it and be taken back, a drain would wait for room
  refused: PlanRefused[]; // the nodes that would get none of what starts
  last?: boolean; // of a drain: no other node takes instances; until one does, deploys and what else starts any fail
}

export interface Job {
  id: string;
  parent?: string;
  kind: string;
  title: string;
  app?: string;
  release?: string;
  node?: string;
  state: string;
  attempt?: number;
  progress: Progress;
  error: string;
  created_at?: string;
  started_at?: string;
  ended_at?: string;
  children: Job[];
  steps?: Step[]; // of a root: the tree as people see it, in the order in which it happens
  outcome?: string; // of a root that has just failed or been aborted: what serves all the same, as a sentence
  app_id?: string; // of a root: its app's id, also if the app was destroyed
  user?: string; // of a root: the user who started it; empty: Aorta itself
  cause?: string; // of a root: the job that has caused it, as a deploy causes the stop of what it replaces
  reason?: string; // of a root that Aorta began by itself, such as a replacement: what made it necessary, in words
  retry_of?: string; // of a root: the job that it retries
  waits_for?: Ahead; // of a root: the job that has to end first
  attention: boolean; // of a root: it failed and was neither retried, discarded nor followed by a success
  discarded_at?: string; // of a root: when it was discarded
  discarded_by?: string;
}

export interface JobLine {
  cursor?: string;
  job: string;
  time: string;
  text: string;
}

export interface LogLine {
  cursor?: string;
  time: string;
  instance: string;
  type: string;
  release: string;
  node: string;
  stream: string;
  text: string;
}

export interface Series {
  step_s: number; // seconds of a step
  from: number; // unix time of the first step
  to: number; // unix time until which is counted: the last step may be under way
  t: number[]; // unix time of each step
  s2xx: (number | null)[]; // requests with that status in the step; 101 too
  s3xx: (number | null)[];
  s4xx: (number | null)[];
  s5xx: (number | null)[];
  bytes: (number | null)[]; // sent to clients in the step
  p50_ms: (number | null)[];
  p95_ms: (number | null)[];
  p99_ms: (number | null)[];
  marks: Mark[]; // releases made in that time
}

export interface Mark {
  t: number; // unix time
  release: string;
}

export interface NodeFacts {
  id: string;
  name: string;
  address: string;
  roles: string[];
  state: string;
  score: number | null; // 0 idle … 1 full; null before its first report
  tags: Record<string, string>;
  instances: number;
  draining: boolean; // it is emptied, or is to stay empty, also while it is silent
  since: string | null; // since when it is dead, or was not heard where it is suspect; null where it is heard
  held_until: string | null; // it was dead and is back: it gets nothing new before that while others have room; null: it does
}

export interface LiveApps {
  total: number;
  serving: number;
  stopped: number;
}

export interface LiveRouters {
  live: number;
  total: number;
}

export interface NodeDetails {
  generation?: number; // of the routing table that its router uses
  created_at: string;
  capacity: NodeCapacity | null;
  score_parts: ScorePart[]; // what the score is the largest of
  tag_sources: Record<string, string>; // where each tag comes from: set (by people or a join token), configured, program, cloud, platform
  unshown_addresses?: string[]; // no connection from there has reached the pacemaker, so nothing is sent there, and apps are not kept from them
}

export interface NodeInstance extends Instance {
  work: OperationRef | null; // moves, replaces or stops it; null while nothing does
  next?: string; // what it waits for that is to leave its node, in words
}

export interface PlanStep {
  action: "start" | "stop"; // what stops does so once what replaces it serves
  app: string;
  type: string;
  node: string;
  instance?: string; // id of what stops
  exclusive?: boolean; // it stops before what replaces it starts: it is interrupted
}

export interface PlanMissing {
  app: string;
  type: string;
  count: number;
  reason: string;
}

export interface PlanRefused {
  app: string;
  type: string;
  node: string;
  reason: string;
}

export interface Progress {
  n: number;
  m: number;
  text?: string;
}

export interface Step {
  id: string; // unique in its tree
  parent?: string; // of a line: its step
  index: number; // its place among those beside it
  name: string;
  state: string; // as that of a job; superseded: its node died, and another instance takes its place
  attempt?: number;
  progress: Progress;
  error?: string; // why it failed, or what takes its place and why
  started_at?: string;
  ended_at?: string;
  jobs: string[]; // ids of the jobs whose log lines are its own
  children: Step[]; // its lines; none in an event, where each comes by itself
}

export interface Ahead {
  id: string;
  title: string;
  user: string; // the user who started it; empty: Aorta itself
  since: string; // when it was created
}

export interface NodeCapacity {
  cpus: number; // cores
  cpu_overcommit: number; // how many times each core may be promised to instances
  memory: number; // bytes
  promised: number; // bytes of memory that its instances may take together
}

export interface ScorePart {
  name: "cpu" | "load" | "memory" | "disk" | "instances";
  value: number; // 0 idle … 1 full
  text: string; // what was measured
}
