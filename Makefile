# What can be done here. Rust and Node.js are all that is needed; `make help` lists the targets.

.DEFAULT_GOAL := help
CARGO ?= cargo
FUZZ_SECONDS ?= 30
OVERLAY ?= dev

.PHONY: help start web stack stack-down test check test-load test-engines deploy-check deploy teardown test-cluster bench bench-peers fuzz clean

# What the console's pages are built from. They are built once, and again when one of these changes.
WEB := web/console
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/scripts -type f 2>/dev/null) $(wildcard $(WEB)/*.json $(WEB)/*.html $(WEB)/*.mjs)

help: ## List what can be done
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

start: web ## Build, run everything in one process, print the URLs (ARGS="--no-traffic" for options)
	$(CARGO) build --locked --profile start --package highbeam
	@exec target/start/highbeam up $(ARGS)

web: $(WEB)/dist/index.html ## Build the console's pages (needs Node.js)

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(WEB_SOURCES)
	cd $(WEB) && npm run --silent build
	@touch $@

# One service builds the image, for they all have the same; and waits for health, not for a while.
stack: ## Run size two in containers: the engines, three roles, Prometheus, Grafana, Loki, Jaeger (needs Docker with Compose)
	bash deployments/compose/secrets.sh
	docker compose build api
	docker compose up --detach --no-build --wait --wait-timeout 600
	@bash deployments/compose/urls.sh

stack-down: ## Stop size two; what it keeps stays in its volumes (ARGS=--volumes removes them)
	docker compose --profile load down $(ARGS)

test: web ## Run every test that needs nothing but the toolchain, and in a browser where there is one (Debian: apt-get install --no-install-recommends chromium)
	$(CARGO) test --locked --workspace
	cd $(WEB) && npm run --silent test
	node tests/browser/run.mjs

# One at a time, for each looks at memory and at how long others wait.
test-load: web ## Test the console under load, malice and kills; minutes, and not part of `make test`
	$(CARGO) test --locked --profile start --package highbeam --test console_load -- --ignored --nocapture --test-threads=1

check: web ## Formatting, lints, layering, documentation, licences
	$(CARGO) xtask check
	cd $(WEB) && npm run --silent check

test-engines: ## Tests against engines and tools from outside: Elasticsearch, OpenSearch, FerretDB, KurrentDB's clients, schemathesis, node_exporter, Prometheus, OTLP's own definitions and SDKs, Docker Compose
	$(CARGO) build --locked --package highbeam
	bash tests/schemathesis.sh
	bash tests/kurrentdb_clients.sh
	bash tests/engines/elasticsearch.sh
	bash tests/engines/elasticsearch.sh opensearch
	bash tests/engines/ferretdb.sh
	bash tests/node_exporter.sh
	bash tests/prometheus.sh
	bash tests/alerts.sh
	CONSOLE_BINARY=target/debug/highbeam bash tests/logql_metrics.sh
	bash tests/otlp_peer.sh
	CONSOLE_BINARY=target/debug/highbeam bash tests/otlp_sdk.sh
	CONSOLE_BINARY=target/debug/highbeam bash tests/promql.sh
	bash tests/stack.sh

deploy-check: ## Check deployments/ without a cluster: both overlays rendered and held against the rules (builds kubectl once; needs Go)
	kubectl="$$(bash deployments/testbed/tools.sh kubectl)/kubectl" && KUBECTL="$$kubectl" $(CARGO) xtask deployments

test-cluster: ## Apply deployments/ to a real API server, built from Go modules and run on loopback, ask it who may do what, and run overlays/dev on a real node (NODE=0 leaves the node out)
	bash tests/cluster.sh

deploy: ## Apply an overlay to the current cluster and wait until it is ready (OVERLAY=prod; dev otherwise)
	bash deployments/deploy.sh up $(OVERLAY)

teardown: ## Take an overlay's workloads away (ARGS=--all: its volumes, secrets and shared parts, too)
	bash deployments/deploy.sh down $(OVERLAY) $(ARGS)

bench: ## Measure (ONLY="commands reads" chooses)
	$(CARGO) build --locked --release --package highbeam --package bench --package kurrentdb-testserver
	target/release/bench $(ONLY)

bench-peers: ## Install what `make bench` measures beside: UmaDB (needs protoc: apt-get install protobuf-compiler), KurrentDB's own crate, the OpenTelemetry SDK, and those of bench/peers
	$(CARGO) install --locked --root target/tools umadb@0.7.8
	$(CARGO) build --locked --release --manifest-path bench/umadb/Cargo.toml
	$(CARGO) build --locked --release --manifest-path bench/kurrentdb-official/Cargo.toml
	$(CARGO) build --locked --release --manifest-path bench/otel-sdk/Cargo.toml
	for peer in jaeger otelite telemetrygen prometheus victorialogs; do bash bench/peers/$$peer.sh || exit 1; done

# The pinned toolchain is told to take the flags that sanitizers need, so no other one has to be there.
fuzz: ## Fuzz each target for FUZZ_SECONDS (needs cargo-fuzz: cargo install --locked cargo-fuzz)
	cd fuzz && export RUSTC_BOOTSTRAP=1 && for target in $$(cargo fuzz list); do \
	  mkdir -p corpus/$$target && words=$$(ls dictionaries/$$target 2> /dev/null); \
	  cargo fuzz run $$target corpus/$$target seeds/$$target -- -max_total_time=$(FUZZ_SECONDS) \
	    $${words:+-dict=$$words} || exit 1; done

clean: ## Remove what was built (not the data folder)
	$(CARGO) clean
