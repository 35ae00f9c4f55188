// Package auth is the gate in front of the API for people: tokens, sign-in and
// sessions with their cookies, the limit of wrong attempts, the check of origins,
// and the end of streams whose reader may not read any more. What a role allows
// is decided by web/access.
package auth
