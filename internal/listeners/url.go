package listeners

import (
	"errors"
	"net"
)

// URL turns a listening address into one to connect to from this machine. An
// address without a host takes the connections of all.
func URL(addr, scheme string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", errors.New("not a listening address: " + addr)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}
