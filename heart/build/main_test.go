package build_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"aorta/heart/build"
)

// TestMain also checks that ended builds leave no goroutine behind. The builders
// of these tests start this program for each build, as the daemon starts itself.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && !strings.HasPrefix(os.Args[1], "-") {
		if err := child(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// endAtOnce is the variable that keeps the race detector from holding each build for a
// second at its end.
const endAtOnce = "GORACE"

func child(as string) error {
	if _, told := os.LookupEnv(endAtOnce); !told { // builds get no variables but their own
		env := append(os.Environ(), endAtOnce+"=atexit_sleep_ms=0")
		return fmt.Errorf("begin anew: %w", syscall.Exec("/proc/self/exe", os.Args, env))
	}
	switch behave := misbehaviours[as]; {
	case as == "build":
		return build.Child(context.Background(), os.Stdin, os.Stdout)
	case behave != nil:
		behave()
	}
	return nil
}
