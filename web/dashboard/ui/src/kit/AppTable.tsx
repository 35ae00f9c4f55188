import { percent, rate, took } from "../format";
import { appAddress, jobAddress } from "../router";
import type { AppRow } from "../types";
import { Errors } from "./Errors";
import { Spark } from "./Spark";
import { State, stateText } from "./State";
import { Table, type Column } from "./Table";

const columns: Column<AppRow>[] = [
  { head: "App", cell: (a) => <a class="name" href={appAddress(a.name)}>{a.name}</a> },
  { head: "State", kind: "wide", cell: (a) => <Now row={a} /> },
  { head: "Release", cell: (a) => a.release || "–" },
  { head: "Instances", kind: "num", cell: (a) => `${a.running} of ${a.wanted}` },
  { head: "Requests/s", kind: "num", cell: (a) => <span class="live">{rate(a.requests_per_s)}</span> },
  { head: "Errors, 10 s", kind: "num", cell: (a) => a.state === "stopped" ? percent(a.error_ratio) : <Errors ratio={a.error_ratio} /> },
  { head: "p95", kind: "num", cell: (a) => <span class="live">{took(a.p95_ms)}</span> },
  { head: "10 minutes", bare: true, cell: (a) => <Spark points={a.spark} label={`Requests of ${a.name} in ten minutes`} /> },
];

const longest = 100; // of a verdict, which may hold what a process said

function Now({ row }: { row: AppRow }) {
  const now = row.severity === "ok" ? <State state={row.state} word={row.state === "running" ? row.verdict : stateText(row.state)} /> : <State state={row.severity} word={row.verdict.length > longest ? row.verdict.slice(0, longest - 1) + "…" : row.verdict} />;
  return row.operation ? <a class="plain" href={jobAddress(row.operation.id)} title={row.operation.title}>{now}</a> : now;
}

export function AppTable({ rows }: { rows: AppRow[] }) {
  return <Table dense label="Apps" columns={columns} rows={rows} keyOf={(a) => a.name} />;
}
