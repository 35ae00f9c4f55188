// Command stubborn ignores SIGTERM: its aorta.yml says how long to wait for it.
package main

import (
	"os/signal"
	"syscall"

	"aorta/scripts/apps/internal/page"
)

func main() {
	signal.Ignore(syscall.SIGTERM)
	page.Serve(page.Mux("stubborn"))
}
