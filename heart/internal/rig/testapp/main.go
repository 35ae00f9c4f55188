// Command testapp is the app that tests of the heart run in containers. MODE
// says how it misbehaves; without it, it serves on PORT as a good app does.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
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
		signal.Ignore(syscall.SIGTERM)
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
	case "memory":
		eat()
	default:
		serve("0.0.0.0:"+os.Getenv("PORT"), 200)
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
		signal.Notify(stop, syscall.SIGTERM)
	}
	go func() {
		<-stop
		fmt.Println("stopped by SIGTERM")
		os.Exit(0)
	}()
	http.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, strings.Join(os.Environ(), "\n"))
	})
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
