// Command printer is the app of make bench-logs: GET /?rate=R&seconds=S prints
// R × S lines of 100 bytes in a row, evenly, and answers with how many it printed.
// A line has its number and when it was printed: "line 42 1764476000000000000 …".
package main

import (
	"bufio"
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
		if rate < 1 || seconds < 1 {
			return // the check of the port
		}
		printing.Lock()
		defer printing.Unlock()
		fmt.Fprintln(w, run(rate, rate*seconds))
	})
	fmt.Println("printer listens")
	fmt.Println(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
	os.Exit(1)
}

// run prints so many lines at a rate, or as fast as they are taken.
func run(rate, total int) int {
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	begun, padding := time.Now(), strings.Repeat("x", 70)
	every := time.NewTicker(tick)
	defer every.Stop()
	for n := 0; n < total; <-every.C {
		due := min(total, int(time.Since(begun).Seconds()*float64(rate))+1)
		for ; n < due; n++ {
			fmt.Fprintf(out, "line %d %d %s\n", n, time.Now().UnixNano(), padding)
		}
		_ = out.Flush()
	}
	return total
}
