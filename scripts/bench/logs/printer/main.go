// Command printer is the app of make bench-logs: GET /?rate=R&seconds=S prints
// R × S lines of 100 bytes in a row, evenly, and answers with how many it printed.
// It ends with the request. GET /?burn=S keeps one core busy for so long, and prints
// nothing.
// A line has its number and when it was printed: "line 42 1764476000000000000 …".
package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tick is how often lines are printed; a slower rate prints each at its time.
const tick = 10 * time.Millisecond

var printing sync.Mutex

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		rate, _ := strconv.Atoi(r.URL.Query().Get("rate"))
		seconds, _ := strconv.Atoi(r.URL.Query().Get("seconds"))
		if burn, _ := strconv.Atoi(r.URL.Query().Get("burn")); burn > 0 {
			for end := time.Now().Add(time.Duration(burn) * time.Second); time.Now().Before(end); {
			}
			return
		}
		if rate < 1 || seconds < 1 {
			return // the check of the port
		}
		printing.Lock()
		defer printing.Unlock()
		fmt.Fprintln(w, run(r.Context(), rate, rate*seconds))
	})
	fmt.Println("printer listens")
	fmt.Println(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
	os.Exit(1)
}

// run prints so many lines at a rate, or as fast as they are taken.
func run(ctx context.Context, rate, total int) int {
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	begun, padding := time.Now(), strings.Repeat("x", 70)
	every := time.NewTicker(tick)
	defer every.Stop()
	for n := 0; n < total; <-every.C {
		due := min(total, int(time.Since(begun).Seconds()*float64(rate))+1)
		for ; n < due && ctx.Err() == nil; n++ {
			fmt.Fprintf(out, "line %d %d %s\n", n, time.Now().UnixNano(), padding)
		}
		_ = out.Flush()
		if ctx.Err() != nil {
			return n
		}
	}
	return total
}
