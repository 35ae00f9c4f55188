// Runs before the first paint, so that a chosen theme does not flash, and who was
// signed in sees the frame at once. It stands alone: a module would come too late.
import { apply, stored } from "./theme-stored";
import { expected } from "./hint";

apply(stored());
if (expected()) document.documentElement.dataset["expected"] = "";
