package build_test

import (
	"context"
	"fmt"
	"os"
	"strings"
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

func child(as string) error {
	switch behave := misbehaviours[as]; {
	case as == "build":
		return build.Child(context.Background(), os.Stdin, os.Stdout)
	case behave != nil:
		behave()
	}
	return nil
}
