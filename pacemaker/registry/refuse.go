package registry

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// refusal is an error in the words of the registry's protocol.
type refusal struct {
	Errors []problem `json:"errors"`
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Refuse answers a request with an error, in the registry's protocol.
func Refuse(w http.ResponseWriter, status int, err error) {
	code := "DENIED"
	if status >= http.StatusInternalServerError {
		code = "UNAVAILABLE"
	}
	raw, failed := json.Marshal(refusal{[]problem{{code, err.Error()}}})
	if failed != nil {
		raw = nil // text alone: it can't fail
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}
