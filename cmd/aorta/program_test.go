package main

import (
	"encoding/json"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/client/contexts"
)

func TestProgram_ShowsForPeople(t *testing.T) {
	cases := []struct {
		args string
		want string
	}{
		{"apps", "NAME  RELEASE  INSTANCES  STATE                     URL\nshop  v3       2/3        2 of 3 instances running  http://shop.example.com\n"},
		{"apps info -a shop", "name       shop\nid         a1\nrelease    v3\nstate      2 of 3 instances running\ninstances  2/3\nurl        http://shop.example.com\nhosts      shop.example.com\n"},
		{"apps:info shop", "name       shop\n"},
		{"ps -a shop", "INSTANCE         RELEASE  NODE  STATE     MEMORY  STARTED\n" +
			"web.1a2b3c4d     v3       n1    running   12%     3m ago\n" +
			"worker.ffffffff  v3       n2    crashing  -       -\n                 exit 1\n"},
		{"ps -a shop --wide", "web.1a2b3c4d     v3       n1    10.0.0.1:20001  running           25%  12%     3m ago   1\n"},
		{"ps scale -a shop", "TYPE  QUANTITY  MEMORY  CPUS  COMMAND\nweb   2         512m    1     (default of the image)\n"},
		{"config -a shop", "A=1\nB=\"two words\"\n"},
		{"config get B -a shop", "two words\n"},
		{"-a shop config:get B", "two words\n"},
		{"builds secrets -a shop", "npmrc\ntoken\n"},
		{"releases -a shop", "RELEASE  STATE    TRAFFIC  CREATED  USER  MESSAGE\nv3       running  100%     1h ago   ada   faster\nv2       retired  -        26h ago  ada   first\n"},
		{"releases -n 1 -a shop", "RELEASE  STATE    TRAFFIC  CREATED  USER  MESSAGE\nv3       running  100%     1h ago   ada   faster\n"},
		{"releases info 3 -a shop", "release  v3\nid       r3\nstate    running\ntraffic  100%\nimage    shop:3\n"},
		{"domains -a shop", "HOST              KIND   ADDED\nshop.example.com  added  1m ago\n"},
		{"route -a shop", "LIMIT         VALUE  SET BY\ntimeout       1m30s  hand\nidle timeout  1h     default\nmax body      50m    aorta.yml\n"},
		{"stats -a shop", "last 1h\n  requests    200\n  error rate  20.00%\n  status      2xx 150, 3xx 3, 4xx 7, 5xx 40\n  sent        900 B\n  p50         12 ms\n  p95         40 ms\n  p99         90 ms\nsince the app was created\n  requests    1000\n  error rate  0.50%\n  status      2xx 980, 3xx 5, 4xx 10, 5xx 5\n  sent        5.0 kB\n"},
		{"jobs", "1a2b3c4d  Deploy shop  running  1m ago   1m\n"},
		{"jobs --wide", webID + "  Deploy shop  shop  ada  running  1m ago   1m\n"},
		{"jobs show j1", "✓ Deploy shop  succeeded\n  ✓ Build  3.0s\n"},
		{"nodes", "n1    ready    heart,router  0.25  2          1s ago\nn2    suspect  heart         -     0          never\n"},
		{"nodes --wide", "n1    ready    heart,router  10.0.0.1  0.25  2          1s ago     eu=1 ssd=yes\nn2    suspect  heart         10.0.0.2  -     0          never\n"},
		{"nodes show n1", "name       n1\nid         id1\nstate      ready\nroles      heart, router\n"},
		{"status", "▲ needs attention: 1 app, 2 instances running, 1 of 2 nodes ready\n  node n2 is silent"},
		{"whoami", "user     ada\nrole     admin\n"},
	}
	c := newCLI(t, shop(t))
	for _, tc := range cases {
		t.Run(tc.args, func(t *testing.T) {
			got := c.run(strings.Fields(tc.args)...)

			wantCode(t, got, 0)
			wantIn(t, "stdout", got.out, tc.want)
		})
	}
}

func TestProgram_JSONHasTheFixedFields(t *testing.T) {
	cases := []struct {
		args   string
		list   bool
		fields string
	}{
		{"ps -a shop", true, "id app release type node address state started_at"},
		{"nodes", true, "id name address roles state score tags instances"},
		{"nodes show n1", false, "id name address roles state score tags instances"},
		{"stats -a shop", false, "requests bytes status p50_ms p95_ms p99_ms window"},
		{"jobs show j1", false, "id title state progress error children"},
		{"jobs", true, "id title state progress error children"},
		{"releases -a shop", true, "release state traffic image created_at user message"},
		{"releases info v3 -a shop", false, "release state traffic image created_at user message"},
		{"apps", true, "id name release hosts url git_http"},
		{"apps info shop", false, "id name release hosts url git_http"},
		{"config -a shop", false, "A B"},
		{"config get A -a shop", false, "A"},
		{"ps scale -a shop", true, "type quantity memory cpus"},
		{"domains -a shop", true, "host app"},
		{"logs -a shop", true, "time instance type release text"},
		{"contexts", true, "name url current"},
		{"status", false, "cluster state nodes"},
		{"whoami", false, "user role cluster version"},
		{"version", false, "version"},
	}
	c := newCLI(t, shop(t))
	for _, tc := range cases {
		t.Run(tc.args, func(t *testing.T) {
			got := c.run(append(strings.Fields(tc.args), "--json")...)

			wantCode(t, got, 0)
			var one map[string]any
			if tc.list {
				var all []map[string]any
				if err := json.Unmarshal([]byte(got.out), &all); err != nil || len(all) == 0 {
					t.Fatalf("got %q (%v), want a plain array", got.out, err)
				}
				one = all[0]
			} else if err := json.Unmarshal([]byte(got.out), &one); err != nil {
				t.Fatalf("got %q (%v), want one object", got.out, err)
			}
			for _, f := range strings.Fields(tc.fields) {
				if _, ok := one[f]; !ok {
					t.Errorf("got %v, want the field %q", one, f)
				}
			}
		})
	}
}

func TestProgram_EmptyListsAreArraysAndSayTheNextStep(t *testing.T) {
	api := newAPI(t)
	for _, p := range []string{"/apps", "/nodes", "/jobs", "/apps/shop/instances", "/apps/shop/releases", "/apps/shop/domains", "/apps/shop/logs"} {
		api.on("GET "+p, 200, map[string]any{"items": nil})
	}
	c := newCLI(t, api)
	for _, args := range []string{"apps", "nodes", "jobs", "ps -a shop", "releases -a shop", "domains -a shop", "logs -a shop"} {
		words := strings.Fields(args)

		got := c.run(append(words, "--json")...)
		human := c.run(words...)

		if got.out != "[]\n" || got.code != 0 {
			t.Errorf("%s --json: got %q (exit %d), want an empty array", args, got.out, got.code)
		}
		if words[0] != "logs" && words[0] != "jobs" && !strings.Contains(human.out, "aorta ") {
			t.Errorf("%s: got %q, want the next command", args, human.out)
		}
	}
}

func TestProgram_UsageErrorsExit2BeforeAnythingIsAsked(t *testing.T) {
	cases := []struct{ args, want string }{
		{"app", `no command "app"; did you mean "aorta apps"?`},
		{"nothinglikeit", `no command "nothinglikeit"`},
		{"apps creat x", `did you mean "aorta apps create"`},
		{"apps:creat x", `aorta apps has no command "creat"; did you mean "aorta apps create"?`},
		{"apps create", "aorta apps create needs NAME\n  usage:   aorta apps create NAME\n  example: aorta apps create shop\n"},
		{"apps create Shop!", "is not a name"},
		{"apps --nope", "aorta apps has no flag --nope"},
		{"apps -x", "aorta apps has no flag -x"},
		{"logs -n -a shop", "\"-a\" is not a whole number"},
		{"--nope", "all commands: aorta help"},
		{"ps", "which app?"},
		{"ps -a Bad!", "is not a name"},
		{"ps scale -a shop web", "TYPE=NUMBER"},
		{"ps scale -a shop web=-1", "web+1 for one more"},
		{"ps scale -a shop web=+1", "web+1 for one more"},
		{"ps scale -a shop web=1.5", "TYPE=NUMBER"},
		{"ps scale -a shop web=1001", "outside"},
		{"ps scale -a shop web=99999999999999999999", "not a number of instances"},
		{"ps scale -a shop web=1 web=2", "web is named twice"},
		{"ps scale -a shop web-3", "shop has 2 of web: 3 fewer is less than none"},
		{"ps type web -a shop", "nothing to change"},
		{"ps type web -a shop --memory lots", "is not a size"},
		{"ps type web -a shop --memory 1k", "outside"},
		{"ps type web -a shop --cpus 0", "above 0"},
		{"ps type web -a shop --cpus two", "above 0"},
		{"ps type web -a shop", "aorta ps type web --memory 1g"},
		{"ps type web -a shop --require SSD", "--require: \"SSD\" is no tag: write it as KEY or KEY=VALUE, such as ssd or region=eu"},
		{"ps type web -a shop --prefer ssd=", "\"ssd=\" is no tag"},
		{"config set -a shop", "nothing to set"},
		{"config set -a shop X", "KEY=VALUE"},
		{"config set -a shop PORT=1", "set by the platform"},
		{"config set -a shop --file none.env", "no such file"},
		{"config unset -a shop", "aorta config unset needs KEY\n"},
		{"apps grant shop", "aorta apps grant needs CAPABILITY\n"},
		{"apps grant", "aorta apps grant needs NAME and CAPABILITY\n"},
		{"apps destroy shop", "apps destroy shop --confirm shop"},
		{"apps destroy shop --confirm other", "can't be undone"},
		{"deploy -a shop . --image x", "give only one of"},
		{"deploy -a shop --archive none.tar", "no such file"},
		{"deploy -a shop", "no Dockerfile"},
		{"rollback -a shop three", "not a release"},
		{"logs -a shop -n 0", "between 1 and 10000"},
		{"logs -a shop --since yesterday", "neither a duration"},
		{"stats -a shop --since -1h", "not a duration"},
		{"stats -a shop --release x", "not a release"},
		{"domains add -a shop nodots", "not a hostname"},
		{"nodes token --expires never", "not a duration"},
		{"nodes token --uses 2 --name n3", "uses"},
		{"nodes token --roles pacemaker", "pacemaker"},
		{"nodes token --replace", "--name"},
		{"nodes tag n2 =a", "KEY=VALUE"},
		{"nodes tag n2", "KEY=VALUE"},
		{"nodes remove", "NODE"},
		{"nodes token --name n3 --roles king", "is not one of heart, router, builder"},
		{"jobs show", "aorta jobs show needs ID"},
		{"jobs show a b", `aorta jobs show takes one argument, and not "b"`},
		{"whoami ada", `aorta whoami takes no argument`},
		{"login http://h", "--token -"},
	}
	for _, tc := range cases {
		t.Run(tc.args, func(t *testing.T) {
			api := shop(t)
			c := newCLI(t, api)

			got := c.run(strings.Fields(tc.args)...)

			wantCode(t, got, 2)
			wantIn(t, "stderr", got.err, tc.want)
			if got.out != "" || len(api.writes()) > 0 {
				t.Errorf("got output %q and writes %v, want neither", got.out, api.writes())
			}
		})
	}
}

func TestProgram_ExitCodesTellTheKindOfFailure(t *testing.T) {
	api := shop(t)
	api.fails("POST /apps", 409, "conflict", `the name "shop" is taken`)
	api.fails("GET /apps/broken", 500, "internal", "broken")
	api.fails("GET /apps/busy", 503, "unavailable", "SQL is busy")
	c := newCLI(t, api)
	c.context("viewer", contexts.Context{URL: api.URL, Token: "viewer"})
	c.context("stranger", contexts.Context{URL: api.URL, Token: "wrong"})
	c.context("away", contexts.Context{URL: "http://" + testkit.FreeAddr(t), Token: "t"})
	cases := []struct {
		args string
		code int
		want string
	}{
		{"apps info broken", 1, "error: broken"},
		{"apps --context viewer", 3, "a viewer may not"},
		{"apps --context stranger", 3, "aorta login " + api.URL + " --token -"},
		{"apps info gone", 4, "there is nothing at"},
		{"apps --context nosuch", 4, `no context "nosuch"`},
		{"config get NONE -a shop", 4, `no config var "NONE"`},
		{"ps restart web.00000000 -a shop", 4, "no instance"},
		{"jobs show 00000000", 4, "nothing at /api/v1/jobs/00000000"},
		{"contexts use nosuch", 4, "no context"},
		{"apps create shop", 5, "is taken"},
		{"apps info busy", 6, "SQL is busy"},
		{"apps --context away", 6, "can't reach http://127.0.0.1"},
		{"logs -f -a shop --context away", 6, "is aortad running there?"},
	}
	for _, tc := range cases {
		t.Run(tc.args, func(t *testing.T) {
			got := c.run(strings.Fields(tc.args)...)

			wantCode(t, got, tc.code)
			wantIn(t, "stderr", got.err, tc.want)
			if got.out != "" {
				t.Errorf("got output %q, want none", got.out)
			}
		})
	}
}

func TestProgram_HelpAndCompletion(t *testing.T) {
	c := newCLI(t, shop(t))
	cases := []struct{ args, want string }{
		{"", "Available Commands"},
		{"help", "Available Commands"},
		{"ps scale --help", "--detach"},
		{"completion bash", "complete"},
		{"completion zsh", "#compdef"},
		{"completion fish", "complete -c aorta"},
		{"__complete ap", "apps\t"},
		{"__complete ps -a ", "shop\n"},
		{"__complete --context ", "local\n"},
		{"__complete apps info ", "shop\n"},
		{"__complete releases info -a shop ", "v3\tfaster\nv2\tfirst\n"},
		{"__complete rollback -a shop ", "v3\tfaster\n"},
		{"__complete stats -a shop --release ", "v3\tfaster\n"},
		{"__complete jobs show ", "1a2b3c4d\tDeploy shop, running\n"},
		{"__complete jobs --kind ", "deploy\nrelease\n"},
		{"__complete config get -a shop ", "A\nB\n"},
		{"__complete config set -a shop ", "A=\nB=\n:6\n"},
		{"__complete config unset -a shop A ", "B\n:4\n"},
		{"__complete ps scale -a shop ", "web=\n"},
		{"__complete ps type -a shop ", "web\n"},
		{"__complete ps restart -a shop ", "web.1a2b3c4d\tv3 on n1\n"},
		{"__complete logs -a shop -p ", "web\n"},
		{"__complete nodes show ", "n1\nn2\n"},
		{"__complete domains remove -a shop ", "shop.example.com\n"},
		{"__complete builds unset-secret -a shop ", "npmrc\ntoken\n"},
		{"__complete contexts use ", "local\n"},
	}
	for _, tc := range cases {
		args := strings.Fields(tc.args)
		if strings.HasSuffix(tc.args, " ") {
			args = append(args, "")
		}

		got := c.run(args...)

		wantCode(t, got, 0)
		wantIn(t, tc.args, got.out, tc.want)
		if strings.Contains(got.out, "git-credential") {
			t.Errorf("%s: got the hidden command, want it hidden", tc.args)
		}
	}
}

func TestTranslate_TouchesTheCommandAlone(t *testing.T) {
	cases := []struct{ in, want string }{
		{"apps:create x", "apps create x"},
		{"-a shop ps:scale web=1", "-a shop ps scale web=1"},
		{"-a=shop --app=shop -ashop --json ps:scale", "-a=shop --app=shop -ashop --json ps scale"},
		{"-a ps:scale ps", "-a ps:scale ps"},
		{"logs --search ps:scale", "logs --search ps:scale"},
		{"config set apps:create", "config set apps:create"},
		{"apps:create apps:create", "apps create apps:create"},
		{"apps create create", "apps create create"},
		{"config get list", "config get list"},
		{"config set set=1", "config set set=1"},
		{"help apps:create", "help apps create"},
		{"help scale", "help ps scale"},
		{"scale --help", "ps scale --help"},
		{"config -a shop list", "config -a shop"},
		{"env:set -a shop A=1", "config set -a shop A=1"},
		{"dyno:restart web.1", "ps restart web.1"},
		{"tail -a shop", "logs -f -a shop"},
		{"", ""},
		{"-", "-"},
		{"--", "--"},
		{"-- apps:create", "-- apps:create"},
	}
	for _, tc := range cases {
		root := rootCommand(&session{p: &Program{}})

		args, err := translate(root, strings.Fields(tc.in))

		if got := strings.Join(args, " "); got != tc.want || err != nil {
			t.Errorf("translate(%q): got %q, %v, want %q", tc.in, got, err, tc.want)
		}
	}
}

// Whoever presses the tabulator wants no error between what is typed.
func TestCompletion_IsSilentWhenItCanNotAsk(t *testing.T) {
	c := newCLI(t, nil)
	c.context("away", contexts.Context{URL: "http://" + testkit.FreeAddr(t), Token: "t"})
	nowhere := newCLI(t, nil)
	for _, args := range []string{"ps -a ", "releases info -a shop ", "jobs show ", "nodes show ", "config get -a shop ", "config get ", "ps type -a shop "} {
		for name, c := range map[string]*cli{"away": c, "not logged in": nowhere} {
			got := c.run(append(append([]string{"__complete"}, strings.Fields(args)...), "")...)

			if got.code != 0 || !strings.HasPrefix(got.out, ":4\n") && !strings.HasPrefix(got.out, ":6\n") || strings.Contains(got.err, "error") {
				t.Errorf("%s, %s: got exit %d, %q and %q, want nothing offered and nothing said", args, name, got.code, got.out, got.err)
			}
		}
	}
}
