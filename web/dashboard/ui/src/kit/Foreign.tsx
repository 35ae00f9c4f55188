import { plain } from "./ansi";

// Foreign is untrusted text, such as an error with a program's output: escape
// codes are removed, and its text direction does not affect what follows.
export function Foreign({ text }: { text: string | undefined }) {
  return <bdi>{plain(text ?? "")}</bdi>;
}

// firstLine is the first line of a longer text.
export function firstLine(text: string | undefined): string {
  return plain(text ?? "").split("\n")[0]!.trim();
}
