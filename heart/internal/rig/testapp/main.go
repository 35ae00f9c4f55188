// Command testapp is the app that tests of the heart run in containers. MODE
// says how it misbehaves; without it, it serves on PORT as a good app does.
package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "check" {
		check()
	}
	if len(os.Args) > 2 && os.Args[1] == "ask" {
		ask(os.Args[2])
	}
	if len(os.Args) > 2 && os.Args[1] == "dial" {
		dial(os.Args[2:])
	}
	fmt.Println("testapp begins, mode", os.Getenv("MODE"))
	switch mode, arg, _ := strings.Cut(os.Getenv("MODE"), ":"); mode {
	case "exit":
		fmt.Fprintln(os.Stderr, "no database at DATABASE_URL")
		os.Exit(number(arg))
	case "silent":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
	case "loopback":
		serve("127.0.0.1:"+os.Getenv("PORT"), 200)
	case "port":
		serve("0.0.0.0:"+arg, 200)
	case "status":
		serve("0.0.0.0:"+os.Getenv("PORT"), number(arg))
	case "stubborn":
		deaf := make(chan os.Signal, 1)
		signal.Notify(deaf, syscall.SIGTERM)
		go func() {
			for range deaf {
				fmt.Println("hears SIGTERM and goes on")
			}
		}()
		serve("0.0.0.0:"+os.Getenv("PORT"), 200)
	case "gate":
		open := make(chan os.Signal, 1)
		signal.Notify(open, syscall.SIGUSR1)
		fmt.Println("waits for SIGUSR1")
		<-open
		serve("0.0.0.0:"+os.Getenv("PORT"), 200)
	case "lines":
		lines(number(arg))
		serve("0.0.0.0:"+os.Getenv("PORT"), 200)
	case "alive":
		go serve("0.0.0.0:"+os.Getenv("PORT"), 200)
		alive()
	case "memory":
		eat()
	default:
		serve("0.0.0.0:"+os.Getenv("PORT"), 200)
	}
}

// unwell is the file that makes the check of an image's HEALTHCHECK fail.
const unwell = "/unwell"

func check() {
	if _, err := os.Stat(unwell); err == nil || os.Getenv("MODE") == "unwell" {
		fmt.Println("no database at DATABASE_URL")
		os.Exit(1)
	}
	os.Exit(0)
}

// ask prints what an address answers, if it does.
func ask(url string) {
	client := http.Client{Timeout: 3 * time.Second}
	res, err := client.Get(url)
	if err != nil {
		fmt.Println("no answer:", err)
		os.Exit(1)
	}
	_, _ = io.Copy(os.Stdout, res.Body)
	os.Exit(0)
}

// dial prints how each address takes a connection: open, refused, or what else came.
func dial(addresses []string) {
	var all sync.WaitGroup
	for _, a := range addresses {
		all.Go(func() {
			c, err := net.DialTimeout("tcp", a, 10*time.Second)
			outcome := "open"
			switch {
			case err == nil:
				_ = c.Close()
			case errors.Is(err, syscall.ECONNREFUSED):
				outcome = "refused"
			default:
				outcome = err.Error()
			}
			fmt.Printf("dialled %s %s\n", a, outcome)
		})
	}
	all.Wait()
	os.Exit(0)
}

// alive prints over and over which instance it is, and when, also for a while after it
// was asked to end.
func alive() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	tick := time.NewTicker(100 * time.Millisecond)
	for last := -1; last != 0; last-- {
		fmt.Println("alive", os.Getenv("AORTA_INSTANCE"), time.Now().UnixNano())
		select {
		case <-stop:
			last = 3
		case <-tick.C:
		}
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func serve(addr string, status int) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Println("listen:", err)
		os.Exit(1)
	}
	fmt.Println("listening on", addr)
	stop := make(chan os.Signal, 1)
	if os.Getenv("MODE") != "stubborn" {
		signal.Notify(stop, syscall.SIGTERM, syscall.SIGQUIT)
	}
	go func() {
		name := map[os.Signal]string{syscall.SIGTERM: "SIGTERM", syscall.SIGQUIT: "SIGQUIT"}[<-stop]
		fmt.Println("stopped by", name)
		os.Exit(0)
	}()
	http.HandleFunc("/unwell", func(w http.ResponseWriter, _ *http.Request) {
		if err := os.WriteFile(unwell, nil, 0o600); err != nil {
			http.Error(w, err.Error(), 500)
		}
	})
	http.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, strings.Join(os.Environ(), "\n"))
	})
	http.HandleFunc("/exit", func(_ http.ResponseWriter, r *http.Request) { os.Exit(number(r.URL.Query().Get("code"))) })
	http.HandleFunc("/eat", func(http.ResponseWriter, *http.Request) { go eat() }) // ends with the process
	http.HandleFunc("/print", printMore)
	http.HandleFunc("/write", write)
	http.HandleFunc("/sum", sum)
	http.HandleFunc("/bytes", bytes)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	fmt.Println(http.Serve(l, nil))
}

// lines writes numbered ones on both streams, fast, and two odd ones.
func lines(n int) {
	for i := range n {
		out := os.Stdout
		if i%3 == 0 {
			out = os.Stderr
		}
		fmt.Fprintf(out, "line %06d\n", i)
	}
	fmt.Println(strings.Repeat("x", 40_000) + " end of the long line")
	fmt.Println("bad \xff\xfe bytes")
}

// printed counts what printMore printed; requests for it come one at a time.
var printed int

// printMore prints n further numbered lines, in turn on both streams.
func printMore(_ http.ResponseWriter, r *http.Request) {
	for range number(r.URL.Query().Get("n")) {
		fmt.Fprintf([]io.Writer{os.Stdout, os.Stderr}[printed%2], "printed %06d\n", printed)
		printed++
	}
}

// write writes a file of n megabytes.
func write(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if err := os.WriteFile(q.Get("path"), make([]byte, number(q.Get("n"))<<20), 0o600); err != nil {
		http.Error(w, err.Error(), 500)
	}
}

// eat takes more memory all the time, but not at once: the engine begins to
// watch for it after the start, and does not hear of what was killed before.
func eat() {
	var held [][]byte
	for range time.Tick(100 * time.Millisecond) {
		b := make([]byte, 4<<20)
		for i := range b {
			b[i] = 1
		}
		held = append(held, b)
	}
	_ = held
}

// sum answers with the length and the SHA-256 of the request's body.
func sum(w http.ResponseWriter, r *http.Request) {
	h := sha256.New()
	n, err := io.Copy(h, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%d %x", n, h.Sum(nil))
}

// bytes answers with so many zeros.
func bytes(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", r.URL.Query().Get("n"))
	piece := make([]byte, 64<<10)
	for left := number(r.URL.Query().Get("n")); left > 0; left -= len(piece) {
		if _, err := w.Write(piece[:min(left, len(piece))]); err != nil {
			return
		}
	}
}
