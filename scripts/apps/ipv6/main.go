// Command ipv6 listens on ::, which takes IPv4 too. With ONLY_V6 it does not,
// and nothing reaches it.
package main

import (
	"net"
	"net/http"
	"os"

	"aorta/scripts/apps/internal/page"
)

func main() {
	network := "tcp" // the socket takes both
	if os.Getenv("ONLY_V6") != "" {
		network = "tcp6"
	}
	l, err := net.Listen(network, net.JoinHostPort("::", os.Getenv("PORT")))
	if err != nil {
		page.Die("listen", err)
	}
	page.Die("serve", http.Serve(l, page.Mux("ipv6")))
}
