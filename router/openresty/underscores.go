package openresty

import "strings"

// ownHeaders are the headers of a request that the router sets, drops or decides
// by, and the one by which some proxies say the client's address, as far as they
// can be written with underscores.
var ownHeaders = []string{
	"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port",
	"X-Request-Id", "X-Real-Ip", "Content-Length", "Transfer-Encoding", "Keep-Alive",
}

// underscored are all ways to write those with some underscore for a hyphen.
func underscored() []string {
	var forms []string
	for _, name := range ownHeaders {
		ways := []string{""}
		for i, part := range strings.Split(name, "-") {
			if i == 0 {
				ways = []string{part}
				continue
			}
			var longer []string
			for _, way := range ways {
				longer = append(longer, way+"-"+part, way+"_"+part)
			}
			ways = longer
		}
		forms = append(forms, ways[1:]...) // the first has no underscore
	}
	return forms
}
