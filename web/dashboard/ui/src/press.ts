// A press is a click only on what is under the pointer both when it goes down
// and when it comes up. So nothing that comes by itself is drawn in between: a
// list that moves would swallow the click, or give it to another row.

const longest = 5000; // ms that a press holds back: where a browser does not report its end
const settle = 300;   // ms from a finger's going up to its click

let pressed = false;
let rising = false; // it is up, and its click may follow
let timer = 0;
let held: (() => void)[] = [];

// unpressed does what draws, now or after the press that is under way, in the
// order in which it was asked.
export function unpressed(draw: () => void): void {
  if (pressed) held.push(draw);
  else draw();
}

function release(): void {
  clearTimeout(timer);
  pressed = rising = false;
  const all = held;
  held = [];
  for (const draw of all) draw();
}

function after(ms: number): void {
  clearTimeout(timer);
  timer = setTimeout(release, ms) as unknown as number;
}

addEventListener("pointerdown", () => { pressed = true; rising = false; after(longest); }, true);
addEventListener("pointerup", () => { rising = pressed; if (pressed) after(settle); }, true);
addEventListener("pointermove", (e) => { if (pressed && e.buttons === 0 && !rising) after(0); }, true); // its end was outside, or on a scroll bar
addEventListener("pointercancel", () => { if (pressed) after(0); }, true);
addEventListener("click", () => { if (pressed) after(0); }, true); // behind all that the click does
