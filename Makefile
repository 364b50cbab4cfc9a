# Two commands do all the set-up: make demo, make test.
GO         ?= go
OUT        ?= reports/out
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI    = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: all build demo test lint proof near-misses mutants peers hostile soak bench pictures golden fuzz browser clean

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
	$(MAKE) --no-print-directory peers

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

# Servers that misbehave, before every verb that talks to one; the last line counts.
hostile:
	@$(GO) test ./cmd/flowproof -run HostileServers -count 1 -v | grep -E 'hostile_test.go|^(ok|FAIL|---)'

# Half an hour at 2,000/s, with the resident memory of both sides, and 200 checks in one process.
soak: build
	bin/flowproof sandbox --tokens opaque --out $(OUT)/soak 2>/dev/null & sandbox=$$!; trap "kill $$sandbox" EXIT; \
	until [ -f $(OUT)/soak/target.yaml ]; do sleep 0.1; done; \
	bin/flowproof load -t $(OUT)/soak/target.yaml --rate 2000/s --duration $${SOAK:-30m} --progress none --out $(OUT)/soak & load=$$!; \
	while kill -0 $$load 2>/dev/null; do echo "$$(date +%T) load $$(ps -o rss= -p $$load) KiB, sandbox $$(ps -o rss= -p $$sandbox) KiB"; sleep 30; done; wait $$load
	$(GO) test ./cmd/flowproof -run ChecksLeaveNothing -count 1 -timeout 60m -v -args -checks $${CHECKS:-200}

# Ratios to wrk, hey, vegeta and k6, on loopback and in about three minutes; see testdata/bench/README.md.
bench: build
	@$(GO) build -o bin/bench ./testdata/bench && bin/bench -tools "$${TOOLS:-$$($(GO) env GOPATH)/bin}" $(BENCH)

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run: gofmt -w .'; exit 1; }
	$(GO) vet ./testdata/bench && $(GO) run $(STATICCHECK) ./... ./testdata/bench
	cd testdata/peers && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...

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
	$(GO) test ./reports -run TestPictures -args -pages "$(abspath $(OUT))/pictures" -pictures "$(CURDIR)/testdata/pictures"

golden:
	$(GO) test ./reports ./cmd/flowproof ./drivers/target ./drivers/load -update

fuzz:
	@for target in $$($(GO) list ./... ); do \
	  for f in $$($(GO) test -list '^Fuzz' $$target | grep '^Fuzz'); do \
	    $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-30s} $$target || exit 1; done; done

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
