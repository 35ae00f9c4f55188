package heart_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"

	"aorta/internal/testkit"
)

// TestMain also checks that ended hearts leave no goroutine behind.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		fmt.Fprintln(os.Stderr, childHeart(dir))
		os.Exit(1)
	}
	testkit.Parallel(5) // they wait for the engine more than they compute
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
