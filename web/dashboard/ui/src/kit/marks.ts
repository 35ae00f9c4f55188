// Positions of the labels of deploys on a graph, so that none covers another.

// Label is one text for a range of marks that are close together.
export interface Label { text: string; x: number; from: number; to: number }

// place puts labels beside marks at xs, which are sorted. Overlapping labels are
// merged; one that would leave the graph on the right is put on the left.
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
