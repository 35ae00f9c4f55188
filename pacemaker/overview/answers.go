package overview

import "fmt"

// Answers are what an app's requests got in the last minute.
type Answers struct{ Requests, Errors uint64 } // Errors: 5xx

// fewRequests is how many a minute say nothing about an app.
const fewRequests = 10

func (a Answers) mostFail() bool { return a.Requests >= fewRequests && 2*a.Errors > a.Requests }

func (a Answers) text() string {
	return fmt.Sprintf("most requests fail: %d of %d answered 5xx in the last minute", a.Errors, a.Requests)
}
