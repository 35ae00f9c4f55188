package wire

import "time"

// SignIn asks for a session with a token.
type SignIn struct {
	Token string `json:"token"`
}

// SignInLink leads a browser to a session.
type SignInLink struct {
	Path      string    `json:"path" doc:"on this server; it works once"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Session is who is signed in. For a request that carried a bearer token, id
// and end are left out: nothing there ends.
type Session struct {
	User      string     `json:"user"`
	Role      string     `json:"role"`
	Session   string     `json:"session,omitempty" doc:"id of the session"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"when the session ends if it is not used before"`
}

// OpenSession is one of a user's sessions that are good now.
type OpenSession struct {
	Session   string    `json:"session" doc:"id of the session"`
	User      string    `json:"user"`
	Agent     string    `json:"agent" doc:"the browser's User-Agent at sign-in"`
	Address   string    `json:"address" doc:"address that signed in, without its port"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at" doc:"last use, to the minute"`
	ExpiresAt time.Time `json:"expires_at" doc:"when the session ends if it is not used before"`
	Current   bool      `json:"current" doc:"the session of this request"`
}
