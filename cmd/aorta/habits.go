package main

// habit is what people type who know Heroku, Dokku or kubectl: other words for a
// command, or words for what is not there.
type habit struct {
	words string // as typed, with spaces for colons; what follows them is kept
	run   string // the command that they mean
	says  string // instead of run: what to do, in a sentence
}

// habits has no words of a command that there is. The longest words that fit win.
var habits = []habit{
	{words: "create", run: "apps create"},
	{words: "apps new", run: "apps create"},
	{words: "apps add", run: "apps create"},
	{words: "list", run: "apps"},
	{words: "ls", run: "apps"},
	{words: "apps list", run: "apps"},
	{words: "info", run: "apps info"},
	{words: "url", run: "apps info"},
	{words: "urls", run: "apps info"},
	{words: "apps show", run: "apps info"},
	{words: "apps report", run: "apps info"},
	{words: "rename", run: "apps rename"},
	{words: "apps open", run: "open"},
	{words: "destroy", run: "apps destroy"}, // which asks for the name again
	{words: "delete", run: "apps destroy"},
	{words: "apps delete", run: "apps destroy"},
	{words: "apps remove", run: "apps destroy"},

	{words: "env", run: "config"},
	{words: "vars", run: "config"},
	{words: "set", run: "config set"},
	{words: "get", run: "config get"},
	{words: "unset", run: "config unset"},
	{words: "config list", run: "config"},
	{words: "config show", run: "config"},
	{words: "config add", run: "config set"},
	{words: "config remove", run: "config unset"},
	{words: "config delete", run: "config unset"},
	{words: "env list", run: "config"},

	{words: "scale", run: "ps scale"},
	{words: "restart", run: "ps restart"},
	{words: "start", run: "ps start"},
	{words: "stop", says: "to stop all of an app: aorta ps stop -a APP"},
	{words: "ps list", run: "ps"},
	{words: "ps report", run: "ps"},
	{words: "ps inspect", run: "ps"},
	{words: "ps resize", run: "ps type"},
	{words: "ps rebuild", run: "builds rebuild"},
	{words: "ps kill", says: "to replace an instance by a new one: aorta ps restart INSTANCE -a APP"},
	{words: "kill", says: "to replace an instance by a new one: aorta ps restart INSTANCE -a APP"},
	{words: "dyno", run: "ps"},
	{words: "dyno scale", run: "ps scale"},
	{words: "dyno restart", run: "ps restart"},
	{words: "dyno type", run: "ps type"},
	{words: "dyno resize", run: "ps type"},
	{words: "dyno stop", says: "to replace an instance by a new one: aorta ps restart INSTANCE -a APP"},
	{words: "dyno kill", says: "to replace an instance by a new one: aorta ps restart INSTANCE -a APP"},
	{words: "resource limit", says: "limits are set by process type: aorta ps type web --memory 256m --cpus 0.5"},
	{words: "resource", says: "limits are set by process type: aorta ps type web --memory 256m --cpus 0.5"},

	{words: "tail", run: "logs -f"},
	{words: "logs tail", run: "logs -f"},
	{words: "log", run: "logs"},
	{words: "top", run: "stats --live"},
	{words: "metrics", run: "stats"},

	{words: "domains list", run: "domains"},
	{words: "domains report", run: "domains"},
	{words: "releases list", run: "releases"},
	{words: "releases show", run: "releases info"},
	{words: "releases rollback", run: "rollback"},
	{words: "builds list", run: "builds"},
	{words: "builds info", run: "builds show"},
	{words: "images list", run: "images"},
	{words: "jobs list", run: "jobs"},
	{words: "jobs info", run: "jobs show"},
	{words: "jobs cancel", run: "jobs abort"},
	{words: "nodes list", run: "nodes"},
	{words: "nodes info", run: "nodes show"},
	{words: "contexts list", run: "contexts"},
	{words: "context", run: "contexts"},
	{words: "switch", run: "contexts use"},
	{words: "git from-image", run: "deploy --image"},
	{words: "git from-archive", run: "deploy --archive"},
	{words: "up", run: "deploy"},
	{words: "push", says: "deploy a commit with git push aorta main, or a directory with aorta deploy"},

	{words: "auth", run: "whoami"},
	{words: "auth login", run: "login"},
	{words: "auth logout", run: "logout"},
	{words: "auth whoami", run: "whoami"},
	{words: "auth token", says: "the token is in the file of contexts (~/.config/aorta/config.json)"},

	{words: "proxy", run: "route"},
	{words: "limits", run: "route"},
	{words: "autocomplete", says: "completion of your shell: source <(aorta completion bash)"},
}

// absent are what other platforms have and this one has not, or not yet.
var absent = []habit{
	{words: "run", says: "one-off commands are not there yet; on the node, docker exec -it INSTANCE COMMAND works (ids: aorta ps --json -a APP)"},
	{words: "exec", says: inContainer},
	{words: "enter", says: inContainer},
	{words: "shell", says: inContainer},
	{words: "bash", says: inContainer},
	{words: "console", says: inContainer},
	{words: "ssh", says: inContainer},
	{words: "ps exec", says: inContainer},

	{words: "traffic", says: "shares of traffic are not there yet: the newest release gets all; to go back: aorta rollback"},
	{words: "rollout", says: "canaries are not there yet: a release gets all traffic once it is healthy; to go back: aorta rollback"},
	{words: "canary", says: "canaries are not there yet: a release gets all traffic once it is healthy; to go back: aorta rollback"},
	{words: "plan deploy", says: noPlan},
	{words: "plan config", says: noPlan},
	{words: "plan domains", says: noPlan},
	{words: "plan apps", says: noPlan},
	{words: "plan rollback", says: "a rollback says what it changes before it begins: aorta rollback"},
	{words: "maintenance", says: "a maintenance page is not there yet; deploys, restarts and config changes need none, since they lose no request"},
	{words: "certs", says: "HTTPS for apps is not there yet: put a proxy with the certificate before the router (router_trusted_proxies)"},
	{words: "ssl", says: "HTTPS for apps is not there yet: put a proxy with the certificate before the router (router_trusted_proxies)"},
	{words: "letsencrypt", says: "HTTPS for apps is not there yet: put a proxy with the certificate before the router (router_trusted_proxies)"},

	{words: "services", says: noServices},
	{words: "addons", says: noServices},
	{words: "pg", says: noServices},
	{words: "postgres", says: noServices},
	{words: "mysql", says: noServices},
	{words: "redis", says: noServices},
	{words: "storage", says: noVolumes},
	{words: "volumes", says: noVolumes},
	{words: "cron", says: noCron},
	{words: "schedule", says: noCron},
	{words: "drains", says: "log drains are not there yet; logs are kept, across releases and nodes: aorta logs --since 24h -a APP"},
	{words: "events", says: whatWasDone},
	{words: "activity", says: whatWasDone},
	{words: "audit", says: whatWasDone},

	{words: "users", says: noUsers},
	{words: "members", says: noUsers},
	{words: "access", says: noUsers},
	{words: "teams", says: noUsers},
	{words: "orgs", says: noUsers},
	{words: "tokens", says: noUsers},
	{words: "authorizations", says: noUsers},
	{words: "keys", says: "pushes over SSH are not there yet; git gets your token by itself: aorta git:remote -a APP"},
	{words: "ssh-keys", says: "pushes over SSH are not there yet; git gets your token by itself: aorta git:remote -a APP"},

	{words: "nodes drain", says: "draining a node is not there yet; what runs where: aorta nodes"},
	{words: "nodes undrain", says: "draining a node is not there yet; what runs where: aorta nodes"},
	{words: "router", says: "the routers are among the nodes: aorta nodes; what is wrong with them: aorta status"},
	{words: "balancer", says: "a balancer before the routers is not there yet; the routers: aorta nodes"},
	{words: "pacemakers", says: "there is one pacemaker; how it is: aorta status"},
	{words: "backup", says: noBackup},
	{words: "backups", says: noBackup},
	{words: "restore", says: noBackup},

	{words: "buildpacks", says: fromDockerfile},
	{words: "buildpacks set", says: fromDockerfile},
	{words: "builder", says: fromDockerfile},
	{words: "stack", says: fromDockerfile},
	{words: "container", says: "a prebuilt image is deployed with: aorta deploy --image REF -a APP"},
	{words: "docker-options", says: "options of containers are in the app's aorta.yml (docs/APPS.md)"},
	{words: "checks", says: "health checks are in the app's aorta.yml: processes: {web: {health: {path: /healthz}}}"},
	{words: "ports", says: "an app listens on $PORT, and the router does the rest; its limits: aorta route -a APP"},
	{words: "nginx", says: "the router's limits for an app: aorta route -a APP"},
	{words: "labs", says: justApps},
	{words: "features", says: justApps},
	{words: "pipelines", says: justApps},
	{words: "reviewapps", says: justApps},
	{words: "ci", says: justApps},
	{words: "spaces", says: justApps},
	{words: "regions", says: justApps},
	{words: "webhooks", says: justApps},
	{words: "update", says: "the client is updated with the cluster: git pull && make up"},
	{words: "plugins", says: "there are no plugins; all commands: aorta help"},
}

const (
	inContainer    = "a way into containers is not there yet; on the node, docker exec -it INSTANCE sh works (ids: aorta ps --json -a APP)"
	noServices     = "databases as services are not there yet: run one yourself, and give its address to the app: aorta config set DATABASE_URL=… -a APP"
	noVolumes      = "volumes are not there yet: keep files in a store outside the app, and its address in a config var: aorta config set KEY=VALUE -a APP"
	noCron         = "scheduled commands are not there yet: let a process type wait for its time itself: aorta ps scale worker=1 -a APP"
	whatWasDone    = "events are not there yet; what was done, when and by whom: aorta jobs"
	noPlan         = "a plan of that is not there yet; there is one of: aorta plan ps scale, aorta plan ps type, aorta plan drain NODE"
	noUsers        = "there is one user, admin, with one token (admin.token in the data directory); who you are: aorta whoami"
	noBackup       = "backups are not there yet: README.md says which directory to copy (What can be lost)"
	fromDockerfile = "apps are built from their Dockerfile: put one beside the source, and deploy: git push aorta main"
	justApps       = "there is nothing of that kind: an app for each stage does it (aorta apps create shop-staging)"
)
