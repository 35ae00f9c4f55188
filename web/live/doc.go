// Package live is everything that is followed over Server-Sent Events: the
// topics of the dashboard's pages, the tree of a job, the log of an app. What
// several readers share is computed once for all by web/live/hub; a job and a
// log are followed for one reader, at its pace, and go on behind the id that it saw
// last.
package live
