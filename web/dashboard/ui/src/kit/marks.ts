// Where the labels of deploys stand on a graph, so that none covers another.

// Label is one text for the marks from one to another, which stand close.
export interface Label { text: string; x: number; from: number; to: number }

// place lays labels beside marks at xs, which rise. Those that would overlap
// become one; one that would leave the graph on the right moves to the left.
export function place(names: string[], xs: number[], right: number, widthOf: (text: string) => number): Label[] {
  const out: Label[] = [];
  names.forEach((_, i) => {
    let next = { from: i, to: i };
    for (;;) {
      const label = lay(names, xs, next, right, widthOf);
      const before = out.at(-1);
      if (!before || before.x + widthOf(before.text) <= label.x) {
        out.push(label);
        return;
      }
      out.pop();
      next = { from: before.from, to: i };
    }
  });
  return out;
}

function lay(names: string[], xs: number[], { from, to }: { from: number; to: number }, right: number, widthOf: (text: string) => number): Label {
  const text = from === to ? names[from]! : `${names[from]}–${names[to]}`;
  return { text, from, to, x: Math.min(xs[from]!, right - widthOf(text)) };
}
