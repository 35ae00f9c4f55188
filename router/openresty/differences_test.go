package openresty

import (
	"slices"
	"strings"
)

// difference is one thing that is not as it is without the router.
type difference struct {
	name   string // as docs/APPS.md has it, with its reason
	reason string
	covers func(d disparity) bool
}

// disparity is one thing that was seen otherwise. through is all that was seen
// through the router.
type disparity struct {
	exchange
	key, straight, routed string
	through               map[string]string
}

func (d disparity) is(keys ...string) bool { return slices.Contains(keys, d.key) }

func (d disparity) does(what ...string) bool { return slices.Contains(what, d.what) }

func (d disparity) inClient() bool { return strings.HasPrefix(d.key, "client ") }

// who says that the exchange ends on that side, in one of the ways.
func (d disparity) who(side string, how ...string) bool {
	return d.kind == "ended" && strings.HasPrefix(d.what, side+" ") && slices.Contains(how, d.listed)
}

// ownAnswer says that the client got the router's answer and not the app's.
func (d disparity) ownAnswer(status string) bool {
	return strings.HasPrefix(d.through["client status"], status) && d.through["client header Content-Type"] == "application/json"
}

// differences are all there are.
var differences = []difference{
	{
		"`X-Forwarded-For`, `-Proto`, `-Host`, `-Port` and `X-Request-Id` are the router's",
		"An app can rely on them. What a client says in them counts only from a trusted proxy; a well-formed `X-Request-Id` is kept.",
		func(d disparity) bool {
			return strings.HasPrefix(d.key, "app header X-Forwarded-") || d.is("app header X-Request-Id") && d.straight == ""
		},
	},
	{
		"The dashboard's session is dropped from a request's cookies (`aorta_session`, `__Host-aorta_session`)",
		"Browsers send a host's cookies to all its ports, and the dashboard may be one of them.",
		func(d disparity) bool {
			return d.is("app header Cookie") && strings.Contains(d.straight, sessionCookie) && !strings.Contains(d.routed, sessionCookie)
		},
	},
	{
		"`Forwarded` and `Proxy` of a request are dropped",
		"The first would contradict the headers above (a trusted proxy's is kept), the second becomes a setting in some languages.",
		func(d disparity) bool { return d.is("app header Forwarded", "app header Proxy") && d.routed == "" },
	},
	{
		"A request's `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `X-Request-Id`, `X-Real-Ip`, `Content-Length`, `Transfer-Encoding` or `Keep-Alive` with an underscore in its name is dropped; all other underscores pass",
		"An app that gets its headers as CGI names them (`HTTP_X_FORWARDED_FOR`) can't tell it from the real one.",
		func(d disparity) bool {
			return d.listed == underlined && strings.HasPrefix(d.key, "app header ") && strings.Contains(d.key, "_") && d.routed == ""
		},
	},
	{
		"`Connection`, `Keep-Alive`, `TE` and `Expect` end at the router",
		"They speak of one connection, and there are two. The router answers `100 Continue` itself, at once.",
		func(d disparity) bool {
			return d.is("app header Connection", "app header Keep-Alive", "app header TE", "app header Expect", "client header Connection", "client header Keep-Alive")
		},
	},
	{
		"An `Upgrade` to `h2c`, `HTTP` or `TLS` is not offered to the app",
		"Requests inside would pass the routing. Every other protocol can be switched to.",
		func(d disparity) bool { return d.is("app header Upgrade") && d.routed == "" },
	},
	{
		"Both sides see HTTP/1.1, whatever the other one speaks",
		"The router keeps connections to apps open, which HTTP/1.0 can't.",
		func(d disparity) bool { return d.is("app version", "client version") && d.straight == "HTTP/1.0" },
	},
	{
		"A body may come in other chunks, or with its length instead; an answer without a length comes in chunks",
		"What came whole is sent whole, and a connection can be used again. HTTP/1.0 clients get no chunks.",
		func(d disparity) bool {
			return d.is("app framing", "app header Transfer-Encoding", "app header Content-Length", "client framing", "client header Transfer-Encoding") &&
				!d.ownAnswer("")
		},
	},
	{
		"Trailers are dropped, of requests and of answers",
		"The nginx of today's distributions does not pass them on, so gRPC needs another way in.",
		func(d disparity) bool { return d.is("app trailers", "client trailers") && d.routed == "" },
	},
	{
		"A request that can be read in two ways gets 400: two hosts or two of another header that may stand once, a length and chunks, a length or a chunk that is wrong, a header that is folded, has no name, a space in it, or a zero byte or a bare CR",
		"What the router and the app read differently is how one app is made to answer for another.",
		func(d disparity) bool { return d.ownAnswer("400") && d.listed == twoWays },
	},
	{
		"A request without a `Host` that is a host name, with or without a port, gets 400; an IPv6 address is none",
		"It says which app is meant.",
		func(d disparity) bool { return d.ownAnswer("400") && d.listed == noHost },
	},
	{
		"A target above the root (`/../x`), without a slash, with a space, a control character, a broken escape (`/%zz`) or an escaped zero byte gets 400; so do `OPTIONS *`, `CONNECT`, methods of other than capitals, `-` and `_`, and HTTP/0.9; `TRACE` gets 405, HTTP/2.0 without an upgrade 505",
		"nginx takes none of these. Every other target arrives byte by byte as it was sent.",
		func(d disparity) bool {
			return d.listed == noRequest && (d.ownAnswer("400") || d.ownAnswer("405") || d.ownAnswer("505") || d.does("no version"))
		},
	},
	{
		"Of transfer encodings there is `chunked` alone: a request with another one gets 501, of an answer's others only the name is dropped",
		"They are to be offered first (`TE`), which ends at the router.",
		func(d disparity) bool {
			return d.listed == encodings && (d.ownAnswer("501") || d.inClient())
		},
	},
	{
		"An absolute target (`GET http://host/x`) arrives as its path",
		"The Host header alone says which app is meant.",
		func(d disparity) bool { return d.listed == absolute && d.is("app target") },
	},
	{
		"Interim answers (100, 102, `103 Early Hints`) end at the router: a client gets the answer behind them",
		"Browsers take early hints by HTTP/2 alone, and a proxy that knows of none would take one for the answer. On an nginx that the router does not know, which its log says, they are a 502.",
		func(d disparity) bool {
			return (d.kind == "interim" || d.listed == interims) && d.is("client interim") && d.routed == ""
		},
	},
	{
		"An answer that is no HTTP, has a status below 100 or switches to a protocol that was not asked for is a 502",
		"The nginx of today's distributions can't tell where ends what follows it, and the rest would be read as the answer to the connection's next request.",
		func(d disparity) bool { return d.ownAnswer("502") && d.inClient() && d.listed == unframed },
	},
	{
		"An app that closes or resets without an answer, or sends a head of more than 32 kB, is a 502",
		"There is nothing else to send; the text says which it was.",
		func(d disparity) bool { return d.ownAnswer("502") && d.inClient() },
	},
	{
		"A reset on one side is the end of the connection on the other, and may be a reset on neither",
		"Either way the message is cut, which a length or chunks show.",
		func(d disparity) bool {
			return d.is("app end", "client end", "app hears", "client hears") && d.straight == endReset && d.routed == endCut
		},
	},
	{
		"A client that ends its own direction (half-close) before it has its answer has gone: the app hears its end, and no more of the answer arrives",
		"TCP doesn't tell it from a client that closed, and an app is to hear of that at once.",
		func(d disparity) bool { return d.who("client", finishes) && d.inClient() },
	},
	{
		"After a switch of protocols the end of one direction is the end of both",
		"What was sent before arrives.",
		func(d disparity) bool {
			return d.listed == finishes && strings.HasSuffix(d.what, "after the switch") && d.is("app hears", "client hears")
		},
	},
	{
		"An app hears of a request when its head is whole; one that ends before, or in its body, counts as 400, one that is given up later as 499",
		"The client got no status that could count.",
		func(d disparity) bool {
			return d.who("client", closes, resets, finishes) && (strings.HasSuffix(d.what, "in its head") || d.is("counted") && d.routed == "400")
		},
	},
	{
		"Once its answer is complete, the rest of a request's body doesn't reach the app",
		"It is read for up to a minute, so that the client gets to the answer.",
		func(d disparity) bool { return d.listed == answered && d.is("app body", "app end") },
	},
	{
		"An answer that doesn't begin within its limit is a 504; what is silent for longer than its limit ends",
		"See the limits above, which an app can change.",
		func(d disparity) bool { return d.listed == silenced && d.inClient() },
	},
	{
		"A broken head is mended: spaces too many in a first line go, HTTP/1.2 becomes HTTP/1.1; in an answer a header without a colon gets one, a length that is no number or stands beside chunks is ignored, of two lengths or types the last counts",
		"The other side gets what nginx made of it.",
		func(d disparity) bool { return d.listed == mended },
	},
	{
		"`Content-Type` and `Content-Length` of an answer are spelled so",
		"nginx writes them. Other names keep their capitals, in both directions.",
		func(d disparity) bool {
			return d.listed == spelling && d.is("client header Content-Type", "client header content-type", "client header Content-Length", "client header content-length")
		},
	},
	{
		"What an app sends behind the end of its answer, or as a body of one that has none (204, 304, to HEAD), is dropped",
		"It would be read as the next answer.",
		func(d disparity) bool { return d.listed == behind && d.is("client tail") },
	},
	{
		"An answer whose chunks are wrong from the start may not arrive at all",
		"Its head waits for the first bytes of its body.",
		func(d disparity) bool { return d.does("chunk that is none") && (d.inClient() || d.is("counted")) },
	},
}
