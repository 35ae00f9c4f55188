// Escape codes in apps' output: colours become class names, all others are removed.

export interface Piece { text: string; look: string }

// CSI … final byte; OSC … BEL or ST; any other two-byte escape; control bytes;
// marks that change the direction of text.
const escape = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[\s\S]?|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

const colours = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let look = "";
  let from = 0;
  const add = (part: string) => { if (part) out.push({ text: part, look }); };
  for (const m of text.matchAll(escape)) {
    add(text.slice(from, m.index));
    from = m.index + m[0].length;
    if (m[2] === "m") look = after(look, m[1] ?? "");
  }
  add(text.slice(from));
  return out;
}

export function plain(text: string): string {
  return text.replace(escape, "");
}

function after(look: string, codes: string): string {
  let colour = look.split(" ").find((c) => c.startsWith("ansi-")) ?? "";
  let bold = look.includes("strong");
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) [colour, bold] = ["", false];
    else if (code === 1) bold = true;
    else if (code === 22) bold = false;
    else if (code === 39) colour = "";
    else if (code >= 30 && code <= 37) colour = "ansi-" + colours[code - 30];
    else if (code >= 90 && code <= 97) colour = "ansi-" + colours[code - 90];
    else if (code === 38 || code === 48) break; // 256 and true colours: left out
  }
  return [colour, bold ? "strong" : ""].filter(Boolean).join(" ");
}
