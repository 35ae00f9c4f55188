import { pieces } from "./ansi";

// LogText is one line of output: colours become classes, search hits are marked,
// and everything else is text, never markup.
export function LogText({ text, search }: { text: string; search: string }) {
  return <>{pieces(text).map((p, i) => <span key={i} class={p.look || undefined}>{marked(p.text, search)}</span>)}</>;
}

function marked(text: string, search: string) {
  if (!search) return text;
  const low = text.toLowerCase();
  const want = search.toLowerCase();
  if (low.length !== text.length) return text; // lower-casing changed the length, so the positions would not match
  const out = [];
  let from = 0;
  for (let at = low.indexOf(want); at >= 0; at = low.indexOf(want, from)) {
    out.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + want.length)}</mark>);
    from = at + want.length;
  }
  out.push(text.slice(from));
  return out;
}
