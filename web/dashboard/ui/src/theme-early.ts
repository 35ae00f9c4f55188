// Runs before the first paint, so that a chosen theme does not flash. It stands
// alone: a module would come too late.
import { apply, stored } from "./theme-stored";

apply(stored());
