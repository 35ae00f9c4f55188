package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { abandon(stop) })
	code := NewProgram().Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// patience is how long a command that was told to end may take for its last words.
const patience = 2 * time.Second

// abandon ends the program although a command does not listen, such as one that
// reads what nobody writes. The next signal ends it at once.
func abandon(stop func()) {
	stop()
	time.AfterFunc(patience, func() {
		fmt.Fprintln(os.Stderr, "interrupted")
		os.Exit(exitFailed)
	})
}
