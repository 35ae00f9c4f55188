// Command scratch is one static binary in an image that has nothing else.
package main

import "aorta/scripts/apps/internal/page"

func main() { page.Serve(page.Mux("scratch")) }
