// Package sqlite3 stands in for github.com/mattn/go-sqlite3, which gorm's
// dialect of SQLite imports for its name alone. Our driver is modernc's; wherever
// cgo is on, as it is for the race detector, all of SQLite would be compiled from
// C beside it (a minute of a processor), linked, and never called.
//
// It is a module of its own because go.mod can replace one by nothing less.
package sqlite3
