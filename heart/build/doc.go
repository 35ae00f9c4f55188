// Package build turns an app's source into an image and says which process
// types it has: it checks the source, lets the engine build its Dockerfile, and
// reads Procfile, app.json and aorta.yml.
//
// It makes no release and decides nothing about running. Source is untrusted
// input: it is never unpacked on this machine, only checked on its way to the
// engine, and read in a process of its own (Child), with a bound on its memory:
// a Builder sends orders to that and relays what it says.
package build
