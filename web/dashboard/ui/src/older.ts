// A list whose newest rows come by themselves, and whose older ones on demand.
// From then on it keeps what it has shown: what drops out of the newest would
// else be missing between them and the older ones.
import { useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get } from "./api";
import type { Page } from "./types";

// Kept are rows by id, as they were seen last.
export class Kept<T extends { id: string }> {
  private rows = new Map<string, T>();

  constructor(private readonly order: (a: T, b: T) => number) {}

  keep(rows: readonly T[]): void {
    for (const row of rows) this.rows.set(row.id, row);
  }

  list(): T[] { return [...this.rows.values()].sort(this.order); }
}

// List is what there is to show. more asks for the page of an address, behind
// the cursor from at first; keep puts rows in that were asked for otherwise.
export interface List<T> { rows: T[]; asked: boolean; end: boolean; more(address: string, from: string): Promise<void>; keep(rows: readonly T[]): void }

// useOlder begins with the live rows, which are in that order too.
export function useOlder<T extends { id: string }>(live: T[], order: (a: T, b: T) => number): List<T> {
  const kept = useRef<Kept<T> | null>(null); // null until older ones were asked for
  const next = useSignal<string | null>(null);
  const changes = useSignal(0);
  void changes.value;
  kept.current?.keep(live);
  return {
    rows: kept.current?.list() ?? live, asked: kept.current !== null, end: next.value === "",
    async more(address, from) {
      const page = await get<Page<T>>(address + (address.includes("?") ? "&" : "?") + "cursor=" + encodeURIComponent(next.value ?? from));
      kept.current ??= new Kept<T>(order);
      kept.current.keep([...live, ...page.items]);
      next.value = page.next ?? "";
    },
    keep(rows) {
      kept.current?.keep(rows);
      changes.value++;
    },
  };
}
