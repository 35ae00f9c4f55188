// Tables, which become lists on a narrow page. Roles are explicit, since browsers
// drop them when a row is laid out as a block.
import { Component, type ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  kind?: "num" | "mono" | "wide" | "end"; // wide: a row of its own where the row is a list
  bare?: boolean; // needs no label where the row is a list
}

interface Props<T> {
  label: string;
  dense?: boolean;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
  groupOf?: (row: T) => string; // rows of one group stand together, under its name
  headOf?: (group: string) => ComponentChildren; // what the name is shown as
}

const portion = 25; // rows that come and go together
const guess = 41;   // px of a row that was not seen yet

interface Rows<T> { key: string; head: string; first: number; rows: T[] }

// parted cuts rows into groups, and what is in none into portions.
function parted<T>(rows: T[], groupOf: ((row: T) => string) | undefined): Rows<T>[] {
  const out: Rows<T>[] = [];
  rows.forEach((row, i) => {
    const head = groupOf?.(row) ?? "";
    const at = out.at(-1);
    if (at && at.head === head && (groupOf || at.rows.length < portion)) at.rows.push(row);
    else out.push({ key: groupOf ? head : String(out.length), head, first: i + 2, rows: [row] });
  });
  return out;
}

export function Table<T>({ label, dense, columns, rows, keyOf, groupOf, headOf }: Props<T>) {
  const many = rows.length > 4 * portion; // fewer are all in the page
  return (
    <table role="table" class={dense ? "dense" : undefined} aria-label={label} aria-rowcount={rows.length + 1}>
      <thead role="rowgroup">
        <tr role="row" aria-rowindex={1}>{columns.map((c) => <th role="columnheader" scope="col" key={c.head} class={c.kind === "mono" ? undefined : c.kind}>{c.head || <span class="hidden">Actions</span>}</th>)}</tr>
      </thead>
      {parted(rows, groupOf).map((part, i) => <Part key={part.key} part={part} columns={columns} keyOf={keyOf} title={headOf?.(part.head) ?? part.head} windowed={many} nearFirst={!many || i < 2} />)}
    </table>
  );
}

interface PartProps<T> { part: Rows<T>; columns: Column<T>[]; keyOf: (row: T) => string; title: ComponentChildren; windowed: boolean; nearFirst: boolean }

// Part is drawn while it is near what is seen: of a thousand rows only those
// are in the page. It keeps the place that it had.
function Part<T>({ part: { head, first, rows }, columns, keyOf, title, windowed, nearFirst }: PartProps<T>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const near = useSignal(nearFirst);
  const height = useRef(0);
  useEffect(() => {
    if (!windowed) {
      near.value = true;
      return undefined;
    }
    const watch = new IntersectionObserver((seen) => {
      const is = seen.at(-1)!.isIntersecting;
      if (near.peek() && !is) height.current = body.current?.offsetHeight ?? 0;
      near.value = is;
    }, { rootMargin: "400px 0px" });
    if (body.current) watch.observe(body.current);
    return () => watch.disconnect();
  }, [windowed]);
  if (!near.value) {
    const px = height.current || rows.length * guess;
    return <tbody role="rowgroup" ref={body} class="far"><tr role="presentation"><td role="presentation" colSpan={columns.length} style={{ height: px + "px" }} /></tr></tbody>;
  }
  return (
    <tbody role="rowgroup" ref={body} aria-label={head || undefined}>
      {head && <tr role="row" class="group"><th role="rowheader" scope="rowgroup" colSpan={columns.length}>{title} <span class="muted">{rows.length}</span></th></tr>}
      {rows.map((row, i) => <Row key={keyOf(row)} row={row} columns={columns} index={first + i} />)}
    </tbody>
  );
}

interface RowProps<T> { row: T; columns: Column<T>[]; index: number }

// Row draws itself again only for another row: a thousand of them are in a list
// of which three change. A cell that shows more than its row is a component.
class Row<T> extends Component<RowProps<T>> {
  override shouldComponentUpdate(next: RowProps<T>) {
    return next.row !== this.props.row || next.columns !== this.props.columns || next.index !== this.props.index;
  }

  override render() {
    const { row, columns, index } = this.props;
    return (
      <tr role="row" aria-rowindex={index}>
        {columns.map((c, i) => (
          <td role="cell" key={c.head} class={`${c.kind ?? ""} ${i === 0 ? "first" : ""}`} data-label={c.bare || i === 0 ? undefined : c.head}>{c.cell(row)}</td>
        ))}
      </tr>
    );
  }
}
