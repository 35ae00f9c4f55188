//go:build apps

package scripts_test

import "testing"

// These are built on the image of apps/base.sh, which make test-apps makes.
var onDebian = []app{
	{name: "static", logs: "GET /GPL-3 HTTP/1.", use: readsAsBrowsersDo},
	{name: "php", logs: "POST /upload.php", use: uploadsAForm},
	{name: "flask", logs: "a form came for Ada", use: isRedirected},
	{name: "django", logs: "POST /form", config: map[string]string{"SECRET_KEY": "of this test"}, use: passesItsGuards},
	{name: "express", logs: "GET / for express.up.test", use: postsJSON},
	{name: "sinatra", logs: "did job", use: scalesAWorker},
	{name: "chat", logs: "2 are here", use: chats},
	{name: "events", logs: "a reader came", use: hearsEachEvent},
	{name: "grpc", logs: "hello to Ada", use: isNoAppForTheRouter, says: callsByGRPC},
	{name: "postgres", logs: "database system is ready", process: "db", use: keepsRows, says: asksPostgres},
	{name: "redis", logs: "Ready to accept connections", use: keepsKeys, says: asksRedis},
	{name: "java", logs: "Started Server"},
	{name: "prefork", logs: "a child ended", use: isServedByChildren},
	{name: "files", logs: "a line in a link to the standard output", use: logsToFiles},
	{name: "checked", logs: "GET /break", use: isJudgedByItsCheck},
	{name: "entrypoint", logs: "entry point, as app in /app: python3 server.py", use: keepsUploads},
	{name: "twominutes", logs: "listening", use: startsAtOnceNow},
}

func TestApps_OnDebian(t *testing.T) { live(t, onDebian) }
