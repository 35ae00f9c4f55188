// Runs before the first paint, so that the chosen theme does not flash and a user
// who was signed in sees the frame at once. A module would run too late.
import { apply, stored } from "./theme-stored";
import { expected } from "./hint";

apply(stored());
if (expected()) document.documentElement.dataset["expected"] = "";
