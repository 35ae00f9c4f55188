package rest

// The bounds of what is read of a refused body, for the tests outside the package.
const (
	LingerBytes = lingerBytes
	LingerTime  = lingerTime
)
