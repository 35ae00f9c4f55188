// Command transfer takes large bodies and gives them back.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"aorta/scripts/apps/internal/page"
)

func main() {
	mux := page.Mux("transfer")
	mux.HandleFunc("PUT /file", take)
	mux.HandleFunc("GET /file", give)
	page.Serve(mux)
}

// take answers with the body's size and sum.
func take(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	n, err := io.Copy(sum, r.Body)
	if err != nil {
		fmt.Println("an upload ended after", n, "bytes:", err)
		return
	}
	_, _ = fmt.Fprintf(w, "%d %x", n, sum.Sum(nil))
}

// give sends as many zeros as ?size says.
func give(w http.ResponseWriter, r *http.Request) {
	left, err := strconv.ParseInt(r.FormValue("size"), 10, 64)
	if err != nil {
		http.Error(w, "size is no number", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(left, 10))
	block := make([]byte, 1<<20)
	for left > 0 {
		n, err := w.Write(block[:min(left, int64(len(block)))])
		if err != nil {
			fmt.Println("a download was cut with", left, "bytes to go:", err)
			return
		}
		left -= int64(n)
	}
}
