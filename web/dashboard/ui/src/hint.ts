// Whether somebody was signed in when this browser last checked. It decides only
// what is drawn first.
const name = "signed-in";

export function expected(): boolean {
  try {
    return localStorage.getItem(name) !== null;
  } catch {
    return false; // storage may be forbidden
  }
}

export function expect(somebody: boolean): void {
  try {
    if (somebody) localStorage.setItem(name, "");
    else localStorage.removeItem(name);
  } catch {
    // Then the first page waits for the answer.
  }
}
