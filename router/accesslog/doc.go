// Package accesslog follows the access log that nginx writes and adds its lines
// up into the traffic statistics, each line exactly once: across kills of the
// follower, rotations of every kind and hours without the statistics' Redis.
//
// How: what was read since the last commit is in memory only; a commit moves
// the counters and the position in one step, on the condition that the position
// is the one that was read before. Whatever goes wrong, memory is thrown away
// and reading starts again at the stored position. The log on disk is the
// queue, so a log file is deleted only when no writer has it open, all of it is
// committed, and Redis has that commit on its disk.
//
// What can be lost: lines that somebody else deletes or truncates before they
// were read, and lines that nginx had not written out when it was killed. A
// Redis that lost everything is filled again from the files still there.
//
// The package knows no Redis: where counters are kept is router/stats.
package accesslog
