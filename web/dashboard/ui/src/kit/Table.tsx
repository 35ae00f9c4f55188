// Tables, which become lists on a narrow page. The roles are written out,
// since a browser forgets them when a row is laid out as a block.
import { Component, type ComponentChildren } from "preact";

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  kind?: "num" | "mono" | "grow" | "end";
  bare?: boolean; // needs no label where the row is a list
}

interface Props<T> { label: string; dense?: boolean; columns: Column<T>[]; rows: T[]; keyOf: (row: T) => string }

export function Table<T>({ label, dense, columns, rows, keyOf }: Props<T>) {
  return (
    <table role="table" class={dense ? "dense" : undefined} aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">{columns.map((c) => <th role="columnheader" scope="col" key={c.head} class={c.kind}>{c.head || <span class="hidden">Actions</span>}</th>)}</tr>
      </thead>
      <tbody role="rowgroup">{rows.map((row) => <Row key={keyOf(row)} row={row} columns={columns} />)}</tbody>
    </table>
  );
}

// Row draws itself again only for another row: a thousand of them are on a
// page of which three change.
class Row<T> extends Component<{ row: T; columns: Column<T>[] }> {
  override shouldComponentUpdate(next: { row: T; columns: Column<T>[] }) {
    return next.row !== this.props.row || next.columns !== this.props.columns;
  }

  override render() {
    const { row, columns } = this.props;
    return (
      <tr role="row">
        {columns.map((c, i) => (
          <td role="cell" key={c.head} class={`${c.kind ?? ""} ${i === 0 ? "first" : ""}`} data-label={c.bare || i === 0 ? undefined : c.head}>{c.cell(row)}</td>
        ))}
      </tr>
    );
  }
}
