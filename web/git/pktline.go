package git

import (
	"errors"
	"fmt"
	"io"
)

// maxPayload is the most that one pkt-line carries, in bytes.
const maxPayload = 65516

// ErrPktLine is a stream that does not follow git's pkt-line format.
var ErrPktLine = errors.New("malformed pkt-line")

// packet is one pkt-line. A special one (flush, delimiter, end of response)
// has no payload.
type packet struct {
	special byte // '0', '1' or '2'; 0 for a line with a payload
	payload []byte
}

// isFlush tells the packet that ends a section.
func (p packet) isFlush() bool { return p.special == '0' }

// readPacket reads one pkt-line: four hex digits that count themselves and the
// payload. A stream that ends between packets gives io.EOF.
func readPacket(r io.Reader) (packet, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return packet{}, err
	}
	n, err := packetLength(head)
	switch {
	case err != nil:
		return packet{}, err
	case n < 3:
		return packet{special: '0' + byte(n)}, nil
	case n < 4 || n > maxPayload+4:
		return packet{}, fmt.Errorf("%w: length %d", ErrPktLine, n)
	}
	payload := make([]byte, n-4)
	if _, err := io.ReadFull(r, payload); err != nil {
		return packet{}, fmt.Errorf("%w: %w", ErrPktLine, io.ErrUnexpectedEOF)
	}
	return packet{payload: payload}, nil
}

func packetLength(head [4]byte) (int, error) {
	n := 0
	for _, c := range head {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | int(c-'a'+10)
		case c >= 'A' && c <= 'F':
			n = n<<4 | int(c-'A'+10)
		default:
			return 0, fmt.Errorf("%w: length %q", ErrPktLine, head[:])
		}
	}
	return n, nil
}

// appendPacket appends a pkt-line with this payload, which must fit.
func appendPacket(buf []byte, payload string) []byte {
	return append(fmt.Appendf(buf, "%04x", len(payload)+4), payload...)
}

const flushPacket = "0000"
