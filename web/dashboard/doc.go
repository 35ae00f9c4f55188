// Package dashboard serves the pages that people open in a browser: one
// document, and the scripts and styles that it names, which were built from ui/
// and embedded. It knows files, caching and headers alone: everything that is
// shown comes from the API, with the rights of who is signed in.
package dashboard
