// Command late migrates a database before it listens, as many web processes do.
package main

import (
	"fmt"
	"time"

	"aorta/scripts/apps/internal/page"
)

// step is how long each migration takes.
const step = 500 * time.Millisecond

func main() {
	for i := range 4 {
		fmt.Println("migration", i+1, "of 4")
		<-time.After(step)
	}
	page.Serve(page.Mux("late"))
}
