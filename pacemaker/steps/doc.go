// Package steps turns a tree of jobs, which is kept as what waits for what, into
// what people see of it: steps in the order in which they happen, with a line for
// each instance below them, and the words for them. It is pure; whoever shows an
// operation (a push, the CLI, the API, pages) takes the order and the words from
// here.
package steps
