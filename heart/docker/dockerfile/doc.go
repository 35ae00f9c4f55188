// Package dockerfile describes one build of an image from a Dockerfile as
// values: what goes in, and how it fails. The engine's two builders, BuildKit
// and the classic one, share it.
//
// It talks to no engine and reads no Dockerfile.
package dockerfile
