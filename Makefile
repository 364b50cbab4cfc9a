# Two commands do all the set-up: make demo, make test.
GO         ?= go
OUT        ?= reports/out
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
CYCLONEDX   = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
GOLANGCI    = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: all build demo test processes lint proof near-misses mutants peers peers-all hostile guards soak endurance bench cluster-test pictures licenses supply verify sbom vulns golden fuzz coverage browser clean

all: build

build: bin/flowproof

bin/flowproof: FORCE
	@$(GO) build -trimpath -o $@ ./cmd/flowproof

FORCE:

# What flowproof does, in two minutes, against the stand-in Space that it brings along.
demo: browser build
	@bin/flowproof check --out $(OUT)
	@bin/flowproof load --rate 1000/s --duration 10s --threshold 'p99<250ms' --out $(OUT)
	@echo; echo "Look at $(OUT)/check.html and $(OUT)/load.html"

# Every test with the race detector and in a real browser, and the peers.
test: browser build
	$(GO) vet ./...
	$(GO) test $(TESTFLAGS) -race -timeout 20m ./...
	$(MAKE) --no-print-directory -j 2 -O processes peers

# What runs whole processes waits more than it computes: without the race detector, and in make test beside the peers.
processes: browser build
	$(GO) test $(TESTFLAGS) -timeout 20m -run '^Test(HostileServers|Interruptions|ChecksLeaveNothing|LostAnswers.*|HangingUpIsAnAnswer|ThrottledServerIsNotWrong|ClocksMayDiffer)$$' ./cmd/flowproof ./suites
	cd testdata/placement && $(GO) test $(TESTFLAGS) ./...

# Each fault of the sandbox has to be caught by the requirement that names it, and what is harmless tolerated.
proof: browser build
	bin/flowproof mutate --jobs 2 --out $(OUT)

near-misses: browser build
	bin/flowproof mutate --jobs 2 --near-misses

# What goes over the wire is bent in hundreds of ways, before the sandbox and before a server that is not ours;
# each has to be noticed, or explained in survivors.yaml. make peers tries a few, MUTANTS=0 tries all.
mutants: browser
	cd testdata/peers && for server in ./mangle ./fosite; do \
	  $(GO) test -v -timeout 3h -run Mutants $$server -args -mutants $${MUTANTS:-300} || exit 1; done

# Authorization servers that are not ours.
peers: browser build
	cd testdata/peers && $(GO) test $(TESTFLAGS) -timeout 20m ./...

# What goes through a pipe fails with its first part.
hostile guards cluster-test: SHELL = /bin/bash
hostile guards cluster-test: .SHELLFLAGS = -o pipefail -c

# Servers that misbehave, before every verb that talks to one, sign-in pages that do, in a browser, and answers that get
# lost; the last line of each counts. HOSTILE= leaves out what takes minutes, as make test does.
hostile: HOSTILE ?= -all
hostile: browser
	@$(GO) test ./cmd/flowproof -run HostileServers -count 1 -timeout 30m -v -args $(HOSTILE) | grep -E 'hostile_test.go|^(ok|FAIL|---)'
	@$(GO) test ./suites -run LostAnswers -count 1 -v -args -thorough | grep -E 'troubled_test.go|^(ok|FAIL|---)'

# What keeps trouble away is taken away, one guard of testdata/guards.yaml after the other, and its test has to fail; the
# last line counts. GUARD=redact takes those alone that the pattern matches.
guards: browser
	@$(GO) test ./cmd/flowproof -run '^TestGuards$$' -count 1 -timeout 3h -v -args -remove -guard '$(GUARD)' | grep --line-buffered -v -e '^=== ' -e '^--- PASS' -e '^PASS$$' -e '^ok '

# Half an hour at 2,000/s, with the resident memory of both sides, and 200 checks in one process.
soak: build
	bin/flowproof sandbox --tokens opaque --out $(OUT)/soak 2>/dev/null & sandbox=$$!; trap "kill $$sandbox" EXIT; \
	until [ -f $(OUT)/soak/target.yaml ]; do sleep 0.1; done; \
	bin/flowproof load -t $(OUT)/soak/target.yaml --rate 2000/s --duration $${SOAK:-30m} --progress none --out $(OUT)/soak & load=$$!; \
	while kill -0 $$load 2>/dev/null; do echo "$$(date +%T) load $$(ps -o rss= -p $$load) KiB, sandbox $$(ps -o rss= -p $$sandbox) KiB"; sleep 30; done; wait $$load
	$(MAKE) --no-print-directory endurance

# 200 checks in one process: goroutines, files, browsers and memory after the first, and after each 50.
# CHECKS=30 ENDURANCE=-in-browser makes fewer, in a browser.
endurance: browser
	$(GO) test ./cmd/flowproof -run ChecksLeaveNothing -count 1 -timeout 120m -v -args -checks $${CHECKS:-200} $(ENDURANCE)

# Authorization servers in other languages, each installed from its own registry into a cache; by hand, not in CI.
# PEERS="keycloak" takes one; testdata/peers/README.md says more.
peers-all: browser build
	cd testdata/peers && $(GO) run ./all -out "$(abspath $(OUT))/peers" $(PEERS)

# Ratios to wrk, hey, vegeta and k6, on loopback and in about three minutes; see testdata/bench/README.md.
bench: build
	@$(GO) build -o bin/bench ./testdata/bench && bin/bench -tools "$${TOOLS:-$$($(GO) env GOPATH)/bin}" $(BENCH)

# A load from three machines and all that may befall it: a NATS server, agents in network namespaces (as root; elsewhere
# they are processes on this machine), kills, a partition, a delay, a restart of the bus. It prints figures.
cluster-test: build
	@$(GO) build -o bin/nats-server github.com/nats-io/nats-server/v2
	@FLOWPROOF='$(CURDIR)/bin/flowproof' NATS_SERVER='$(CURDIR)/bin/nats-server' $(GO) test -tags cluster ./drivers/cluster -run '^TestWhole$$' -count 1 -v -timeout 10m | grep -v '^=== '

# The table of the dependencies, with licences and reasons, written anew; make test holds it to go.mod.
licenses:
	$(GO) test ./cmd/flowproof -run TestDependencies -count 1 -update

# What the build is made of: the modules are those that go.sum names, what is in the binary is told in CycloneDX, and
# known holes are looked up where the database of them can be reached.
supply: verify sbom vulns

verify:
	$(GO) mod verify
	@cd testdata/peers && ! $(GO) mod verify 2>&1 | grep -vE '^(all modules verified|flowproof .*: missing ziphash)'  # that one is this folder

sbom: build
	@mkdir -p $(OUT)
	$(GO) run $(CYCLONEDX) bin -json -output $(OUT)/sbom.json bin/flowproof

vulns:
	$(GO) run $(GOVULNCHECK) ./...

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run: gofmt -w .'; exit 1; }
	$(GO) vet ./testdata/bench && $(GO) run $(STATICCHECK) ./... ./testdata/bench
	for module in peers placement; do cd $(CURDIR)/testdata/$$module && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./... || exit 1; done

golangci:
	$(GO) run $(GOLANGCI) run ./...

# The README's pictures: what readers see first of each report. Four minutes, against the stand-in Space.
pictures: browser build
	@rm -rf $(OUT)/pictures && mkdir -p $(OUT)/pictures testdata/pictures
	cd $(OUT)/pictures && PATH="$(CURDIR)/bin:$$PATH" && \
	  plan='--grant client_credentials=3,refresh_token --rate 1600/s --duration 70s --threshold p99<250ms' && \
	  { flowproof check --fault code-reusable --fault omit-no-store --fault state-plus-to-space --out . || [ $$? = 1 ]; } && \
	  flowproof load $$plan --sandbox-delay 20ms --out main && \
	  flowproof load $$plan --sandbox-delay 28ms --out branch && cp branch/load.html . && \
	  { flowproof compare main/load.json branch/load.json --format html --out . || [ $$? = 1 ]; } && \
	  flowproof load --capacity 'p99<250ms,errors<0.1%' --connections 16 --rate 40/s --sandbox-delay 50ms --out search && cp search/load.html capacity.html
	$(GO) test -tags pictures ./reports -run TestPictures -args -pages "$(abspath $(OUT))/pictures" -pictures "$(CURDIR)/testdata/pictures"

golden:
	$(GO) test ./reports ./cmd/flowproof ./drivers/target ./drivers/load -update

# What the drivers and suites do when the whole is run, not tested in parts: how much of each package, and what
# none of it reaches. A quarter of an hour.
coverage: browser
	@rm -rf $(OUT)/coverage && mkdir -p $(OUT)/coverage/raw
	@$(GO) build -cover -coverpkg=./cmd/...,./drivers/...,./suites/...,./reports/... -o bin/flowproof-covered ./cmd/flowproof
	@set -e; export GOCOVERDIR='$(abspath $(OUT))/coverage/raw' out='$(OUT)/coverage/out'; \
	  flowproof() { bin/flowproof-covered "$$@" >/dev/null 2>&1 || [ $$? -le 3 ]; }; run() { flowproof "$$@" --out "$$out"; }; \
	  for profile in space rfc6749 bcp-9700 oauth-2.1; do run check --profile $$profile --destructive; done; run check --no-browser; \
	  for fault in code-reusable echo-secret omit-no-store; do run check --fault $$fault; done; \
	  bin/flowproof-covered sandbox --extras --rotation --guest --out "$$out/sandbox" >/dev/null 2>&1 & sandbox=$$!; trap "kill $$sandbox 2>/dev/null || true" EXIT; \
	  target="$$out/sandbox/target.yaml"; until [ -s "$$target" ]; do sleep 0.2; done; run check -t "$$target"; \
	  recipe="$$out/sandbox/recipe.yaml"; sed 's/^sign_in: auto/sign_in: [{fill: {selector: "#username", value: username}}, {fill: {selector: "#password", value: password}}, {click: {selector: "button[type=submit]"}}]/' "$$target" >"$$recipe"; \
	  flowproof doctor -t "$$recipe"; run login -t "$$recipe"; run check -t "$$recipe" --only authorization_code; run check -t "$$recipe" --only authorization_code --no-browser; \
	  issuer=$$(sed -n 's/^url: //p' "$$target" | tr -d '"'); flowproof init --from-issuer "$$issuer" --out "$$out/init.yaml"; \
	  at=$$(date -u -d '+3 seconds' +%FT%TZ); for n in 1 2; do flowproof load -t "$$target" --rate 100/s --duration 2s --shard $$n/2 --start-at $$at --out "$$out/shard$$n" & shards="$$shards $$!"; done; wait $$shards; \
	  run merge "$$out/shard1/load.json" "$$out/shard2/load.json"; run load -t "$$target" --baseline "$$target" --rate 100/s --duration 1s --pairs 4; \
	  kill $$sandbox; wait $$sandbox; \
	  run load --grant client_credentials,password,refresh_token,authorization_code,resource,revocation --rate 200/s --duration 2s; \
	  run load --protocol h2 --rate 200/s --duration 2s; run load --closed --duration 1s --new-connections; run load --browser auto --grant authorization_code --rate 20/s --duration 1s; \
	  run load --capacity 'p99<250ms' --rate 50/s --max-rate 400/s --capacity-step 1s; run load --plan testdata/plans/mixed.yaml; run load --agents embedded:2 --rate 200/s --duration 2s; \
	  run compare "$$out/load.json" "$$out/load.json"; run report "$$out/check.json" --format sarif,markdown,teamcity,openmetrics; \
	  run mutate --jobs 2; flowproof mutate --jobs 2 --near-misses
	@$(GO) tool covdata percent -i=$(OUT)/coverage/raw
	@$(GO) tool covdata textfmt -i=$(OUT)/coverage/raw -o $(OUT)/coverage/profile.txt
	@echo 'reached by none of it:'; $(GO) tool cover -func $(OUT)/coverage/profile.txt | awk '/flowproof.(drivers|suites)/ && $$3 == "0.0%" {print "  " $$1, $$2}'

# Ten minutes for each target, FUZZTIME=300x for as many tries; the seeds and all that was ever found run in every go test.
fuzz:
	@grep -roE '^func Fuzz[A-Za-z]+' --include='*_test.go' drivers reports | sort | sed 's|/[^/]*:func | |' | while read -r package target; do \
	  echo "$$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $${FUZZTIME:-10m} "./$$package" || exit 1; done

# A browser for the rows that only one can prove: the machine's, or the distribution's package.
browser:
	@for b in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable chrome headless-shell; do \
	  command -v $$b >/dev/null 2>&1 && exit 0; done; \
	[ -n "$$FLOWPROOF_BROWSER" ] && exit 0; \
	if command -v apt-get >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo='sudo -n'; else sudo=no; fi; \
	  if [ "$$sudo" != no ]; then \
	    echo 'installing a browser from the distribution (chromium-headless-shell)'; \
	    $$sudo apt-get update -qq >/dev/null 2>&1; \
	    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null 2>&1 || \
	    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; \
	    for b in chromium-headless-shell chromium; do command -v $$b >/dev/null 2>&1 && exit 0; done; \
	  fi; \
	fi; \
	echo 'flowproof: there is no browser here and none could be installed; install Chromium or Chrome (Debian, Ubuntu: apt-get install chromium), or set FLOWPROOF_BROWSER to one' >&2; exit 1

clean:
	rm -rf bin $(OUT)
