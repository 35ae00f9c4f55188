package listeners

import "testing"

func TestURL_IsOneToConnectTo(t *testing.T) {
	for addr, want := range map[string]string{
		":8080": "http://127.0.0.1:8080", "0.0.0.0:80": "http://127.0.0.1:80", "[::]:80": "http://[::1]:80",
		"10.0.0.1:80": "http://10.0.0.1:80", "[fd00::1]:80": "http://[fd00::1]:80", "80": "",
	} {
		got, err := URL(addr, "http")

		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v, want %q", addr, got, err, want)
		}
	}
}
