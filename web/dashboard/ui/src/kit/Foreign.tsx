import { plain } from "./ansi";

// Foreign is text that somebody else wrote, such as an error that holds a
// program's last words: codes are left out, and the direction of its writing
// ends with it.
export function Foreign({ text }: { text: string | undefined }) {
  return <bdi>{plain(text ?? "")}</bdi>;
}

// firstLine is what stands alone of a longer text.
export function firstLine(text: string | undefined): string {
  return plain(text ?? "").split("\n")[0]!.trim();
}
