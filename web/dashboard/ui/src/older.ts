// A list whose newest rows are live and whose older rows are loaded on demand.
// Once older ones were loaded it keeps all rows: those that drop out of the
// newest would otherwise be missing in between.
import { useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get } from "./api";
import type { Page } from "./types";

// Kept are rows by id, as last received.
export class Kept<T extends { id: string }> {
  private rows = new Map<string, T>();

  constructor(private readonly order: (a: T, b: T) => number) {}

  keep(rows: readonly T[]): void {
    for (const row of rows) this.rows.set(row.id, row);
  }

  list(): T[] { return [...this.rows.values()].sort(this.order); }
}

// List is the rows to show. more loads the next page of a URL, at first after the
// cursor from, which may be none; keep adds rows that were loaded otherwise.
export interface List<T> { rows: T[]; asked: boolean; end: boolean; more(address: string, from: string): Promise<void>; keep(rows: readonly T[]): void }

// useOlder starts with the live rows, which have that order.
export function useOlder<T extends { id: string }>(live: T[], order: (a: T, b: T) => number): List<T> {
  const kept = useRef<Kept<T> | null>(null); // null until older ones were loaded
  const next = useSignal<string | null>(null);
  const changes = useSignal(0);
  void changes.value;
  kept.current?.keep(live);
  return {
    rows: kept.current?.list() ?? live, asked: kept.current !== null, end: next.value === "",
    async more(address, from) {
      const cursor = next.value ?? from;
      const page = await get<Page<T>>(address + (cursor && (address.includes("?") ? "&" : "?") + "cursor=" + encodeURIComponent(cursor)));
      kept.current ??= new Kept<T>(order);
      kept.current.keep([...page.items, ...live]);
      next.value = page.next ?? "";
    },
    keep(rows) {
      kept.current?.keep(rows);
      changes.value++;
    },
  };
}
