# Aorta: make help lists what there is to do.

STATE   ?= .state
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
export STATE LISTEN ROUTER DOMAIN NODE_ADDRESS

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0
LDFLAGS     := -s -w -X main.version=$(VERSION)
# What linters load is built as the tests are, so that it is built once.
RACE        := $(shell cat internal/testkit/race/flags)

# Each recipe takes Go from where bootstrap found it.
ENV := if [ -f "$(STATE)/env.sh" ]; then . "$$(realpath "$(STATE)/env.sh")"; fi;
GO  := $(ENV) go

.DEFAULT_GOAL := help
.PHONY: help up down clean build test test-apps check fmt lint bootstrap fuzz bench-router bench-accesslog bench-logs bench-flood bench-deploy bench-idle bench-push bench-streams bench-jobs bench-registry bench-failover bench-dashboard screenshots

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  Variables: STATE ($(STATE)), LISTEN (127.0.0.1:7420), ROUTER (:8080), DOMAIN (aorta.localhost),"
	@echo "             NODE_ADDRESS (none; a private address, by which other machines join)"

up: ## a cluster on this machine with an app on it; as root, runs twice without harm
	@scripts/up.sh

down: ## stop everything that make up started
	@scripts/down.sh

clean: ## make down, and remove its state and its apps' images
	@scripts/clean.sh

build: bootstrap dashboard ## bin/aortad, bin/aorta and the example's binary
	@$(ENV) export CGO_ENABLED=0; \
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/aortad ./cmd/aorta && \
	go build -trimpath -buildvcs=false -ldflags '-s -w' -o examples/hello/hello ./examples/hello

UI    := web/dashboard/ui
PAGES := web/dashboard/dist/index.html

.PHONY: dashboard
dashboard: $(PAGES) ## the dashboard's pages, which go into bin/aortad

# Nothing is fetched but what the lock file names, and no script of a package runs.
PACKAGES := $(UI)/node_modules/.package-lock.json

$(PACKAGES): $(UI)/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing, and the dashboard's pages are built with it: apt-get install nodejs npm"; exit 1; }
	@cd $(UI) && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

$(PAGES): $(PACKAGES) $(shell find $(UI)/src) $(UI)/build.mjs $(UI)/package.json
	@cd $(UI) && npm run -s build && npm run -s size

test: ## everything, on real daemons; installs what is missing
	@scripts/test.sh

.PHONY: test-race
test-race: ## the tests of clusters, with the race detector on the daemon in each
	@PACKAGES=./cmd/aortad scripts/test.sh -args -watched

test-apps: ## twenty apps of the kinds that people run, in Python, PHP, Node, Ruby, Java, Go (10 min)
	@scripts/apps.sh

.PHONY: test-engines
test-engines: ## what uses the Docker engine, on the engines of other Debian releases, and on Docker 29 (SUITES="trixie sid moby")
	@scripts/test-engines.sh

test-hostile: ## the faults of docs/FAULTS.md, each injected for real, within MEMORY (8G)
	@scripts/hostile.sh

.PHONY: test-hosts test-slow
test-hosts: ## hosts that are lost, cut off, killed and copied, under load, and a table of what each cost
	@scripts/hosts.sh

test-slow: ## the same at the product's own times (dead_after 15 s)
	@scripts/hosts.sh -defaults

.PHONY: test-storm
test-storm: ## random faults over four hosts under load, for MINUTES (30), of SEED or of a new one, which is said
	@SEED='$(SEED)' MINUTES='$(MINUTES)' scripts/storm.sh

.PHONY: test-place bench-place
test-place: bootstrap ## the rules of placement on PLANS (1000000) plans over random worlds, of SEED or of new ones
	@$(GO) test -vet=off -v -count=1 -timeout 1h -run TestChoose_BreaksNoRuleInAnyWorld ./pacemaker/place -plans $(or $(PLANS),1000000) -seed $(or $(SEED),0)

fuzz: bootstrap ## each fuzz target for FUZZTIME (60s), or those of ONLY
	@$(ENV) scripts/fuzz.sh

check: bootstrap lint ## the quick half: format, vet, lint, unit tests
	@$(GO) run ./scripts/testreport $(RACE) -short -vet=off -p $$((2 * $$(nproc))) ./...

lint: bootstrap
	@$(ENV) more=$$(go run $(GOFUMPT) -l .) || exit 1; bad=$$(gofmt -l . ; echo "$$more"); [ -z "$$bad" ] || { echo "not formatted (make fmt):"; echo "$$bad" | sort -u; exit 1; }
	@$(GO) vet $(RACE) -tags=apps ./...
	@$(ENV) tools=$$(realpath "$(STATE)")/tools && GOBIN=$$tools go install $(STATICCHECK) && GOFLAGS="$$(go env GOFLAGS) $(RACE) -tags=apps" "$$tools/staticcheck" ./...
	@$(GO) run ./scripts/lint
	@for script in scripts/*.sh scripts/apps/*.sh scripts/lab .ci/run; do bash -n "$$script" || exit 1; done

fmt: bootstrap ## format the code
	@$(GO) run $(GOFUMPT) -w .

bootstrap:
	@scripts/bootstrap.sh build

bench-router: bootstrap ## the router against static nginx: requests, and bodies of 2 GB
	@$(GO) run ./scripts/bench/router

bench-accesslog: bootstrap ## lines a second from the access log into statistics
	@$(GO) run ./scripts/bench/accesslog

bench-logs: bootstrap ## lines from a container to aorta logs: pace, cost, delay (SECONDS=10), and its parts
	@SPAN='$(or $(SECONDS),10)' scripts/bench-logs.sh
	@$(GO) test -run - -bench 'BenchmarkReader|BenchmarkShipper' ./heart/logs
	@$(GO) test -run - -bench BenchmarkStore ./pacemaker/logstore

bench-flood: ## what an app that prints without end takes from its neighbour, beside one that only burns a core
	@scripts/bench-flood.sh

bench-deploy: ## a prebuilt image until it serves, on the cluster of make up
	@scripts/bench-deploy.sh

bench-push: ## a push into a repository that has seen 2,000, packed and not
	@$(GO) test -run - -bench BenchmarkPush -benchtime 20x ./web/git

bench-streams: bootstrap ## what status takes while an app prints, without readers of its log and with 400 that read nothing
	@$(GO) test -run - -bench BenchmarkStreams -benchtime 30x ./web/live

bench-place: bootstrap ## instances a second onto 5,000 nodes with tags and reservations, on one core
	@$(GO) test -vet=off -cpu 1 -run - -bench BenchmarkChoose ./pacemaker/place

bench-jobs: bootstrap ## the job trees: figures, beside asynq, and a storm of kills (5 min)
	@$(GO) run ./scripts/bench/jobs

bench-registry: bootstrap ## an image of 100 MB to a heart, beside docker pull of a bare registry; the daemon's memory with 1 GB (1 min)
	@export DOCKER_HOST=$$(scripts/engine.sh host); $(GO) run ./scripts/bench/registry

bench-failover: build ## a host of an app loses its power, on Aorta and on Docker Swarm, RUNS (3) of each in turns (10 min)
	@$(ENV) CGO_ENABLED=0 go run ./scripts/bench/failover -runs $(or $(RUNS),3)

bench-idle: ## what an idle cluster costs, part by part, without an app and with APPS (100) (10 min)
	@scripts/bench-idle.sh

bench-dashboard: ## the pages: size, first paint and pace with 1,000 apps
	@scripts/pages.sh figures

SHOTS ?= dist/screenshots

screenshots: ## a picture of each page, in three widths, dark and light, into SHOTS
	@scripts/pages.sh pictures '$(SHOTS)'
