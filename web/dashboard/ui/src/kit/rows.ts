// Where the lines of a log are, counted in rows of one height. On a narrow page a
// line may take several: their number follows from its length, so that ten thousand
// lines need no measuring.
import { plain } from "./ansi";

export const stamp = 9; // columns of the time in front of a line that wraps
const most = 8;         // rows of one line; the rest is shown when it is opened

// widthOf is how many columns a text takes in a font of one width.
export function widthOf(text: string): number {
  let n = 0;
  for (const c of plain(text)) n += wide(c.codePointAt(0)!) ? 2 : 1;
  return n;
}

// wide are the characters of East Asia and emoji.
const wide = (c: number) => c >= 0x1100 && (c <= 0x115f || (c >= 0x2e80 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) || (c >= 0x1f300 && c <= 0x1faff));

// Rows places lines by their widths. Without columns none wraps.
export class Rows {
  private readonly ends: Uint32Array | null = null; // rows up to the end of each line

  constructor(private readonly widths: readonly number[], columns: number) {
    if (columns <= 0) return;
    this.ends = new Uint32Array(widths.length);
    let end = 0;
    widths.forEach((width, i) => {
      end += Math.min(most, Math.max(1, Math.ceil((width + stamp) / columns)));
      this.ends![i] = end;
    });
  }

  // top is the row where a line begins; that behind the last line is all of them.
  top(line: number): number {
    return this.ends ? (line > 0 ? this.ends[line - 1] ?? 0 : 0) : line;
  }

  total(): number { return this.top(this.widths.length); }

  height(line: number): number { return this.top(line + 1) - this.top(line); }

  // at is the line that a row is of: the last one below all.
  at(row: number): number {
    const last = this.widths.length - 1;
    if (!this.ends) return Math.max(0, Math.min(last, Math.floor(row)));
    let [low, high] = [0, Math.max(0, last)];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle]! > row) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
