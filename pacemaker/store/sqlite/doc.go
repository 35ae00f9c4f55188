// Package sqlite is what the store needs of SQLite beyond portable SQL: the
// file and its lock, how connections are opened, what its errors mean, and which
// migrations it has. It holds no query.
package sqlite
