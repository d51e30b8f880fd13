# Sallyport. `make help` lists the targets. Each has an npm-script twin: `npm run <target>`.
# GNU Make 3.81 features only. Every recipe runs the project's own Node, which `make setup` installs.

NODE = $(shell sh ./node-path.sh)
PYTHON = python3
MINUTES = 1
KILLS = 20

.PHONY: help setup check test demo bench bench-quick build generate fuzz test-interop test-stores test-disk test-crash test-first-minutes test-browser screenshots cluster-up cluster-down cluster-status test-cluster clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /	/' | expand -t 16

setup: node_modules/.ready out/dashboard/app.js ## install what the project needs (Node and libraries, pinned); make the dashboard's page

node_modules/.ready: package.json package-lock.json
	@npm ci --ignore-scripts --loglevel=error --no-audit --no-fund
	@touch node_modules/.ready

out/dashboard/app.js: node_modules/.ready scripts/build-dashboard.ts $(wildcard pkg/faces/dashboard/browser/*)
	@$(NODE) scripts/build-dashboard.ts

check: setup ## types, format, lint, generated files up to date
	@$(NODE) node_modules/typescript/bin/tsc --noEmit
	@$(NODE) node_modules/typescript/bin/tsc --noEmit -p tsconfig.dashboard.json
	@$(NODE) node_modules/@biomejs/biome/bin/biome check .
	@$(NODE) scripts/generate.ts --check

test: setup ## the whole test suite; needs Node only
	@$(NODE) --test --test-timeout=120000 "pkg/**/*.test.ts" "test/*.test.ts" "test/conformance/*.test.ts"

test-interop: setup out/interop/.ready ## answers and identities read by other people's libraries (needs python3 with venv, openssl; Go for a part)
	@INTEROP_PYTHON="$(CURDIR)/out/interop/bin/python" $(NODE) --test --test-timeout=240000 "test/interop/*.test.ts"

out/interop/.ready: test/interop/requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "test-interop needs python3 with venv" >&2; exit 69; }
	@mkdir -p out && rm -rf out/interop && $(PYTHON) -m venv out/interop || { echo "test-interop needs python3 with venv (Debian: python3-venv)" >&2; exit 69; }
	@out/interop/bin/python -m pip install --quiet --disable-pip-version-check -r test/interop/requirements.txt
	@touch out/interop/.ready

test-stores: setup ## the stores of a cluster on real servers (needs Redis and Postgres: Debian's redis-server, postgresql)
	@$(NODE) test/stores/run.ts

test-disk: setup ## the process on a disk that is full (needs Linux, root, and the right to mount)
	@$(NODE) test/disk/run.ts

test-crash: setup ## kill -9 at random moments under load; KILLS=100 for more, SEED=x for the same ones again
	@$(NODE) test/crash/run.ts --kills $(KILLS) $(if $(SEED),--seed $(SEED))

test-first-minutes: setup ## README's first five minutes on a clean clone (needs git, npm, python3 with venv)
	@$(NODE) test/first-minutes/run.ts

test-browser: setup ## the dashboard in a real browser (needs Chromium; Debian: chromium)
	@$(NODE) test/browser/run.ts

screenshots: setup ## the same, and the pictures of docs/reference/dashboard.md are taken anew
	@$(NODE) test/browser/run.ts --screenshots

cluster-up: setup ## a real Kubernetes node, built from pinned modules once (needs Linux, root, Go; Debian: sh test/cluster/install.sh)
	@$(NODE) test/cluster/run.ts up

cluster-down: setup ## end it; the machine is as it was, the built programs stay in ~/.cache/sallyport/cluster
	@$(NODE) test/cluster/run.ts down

cluster-status: setup ## whether it runs, its programs with version and memory, its pods
	@$(NODE) test/cluster/run.ts status

test-cluster: setup ## that node up, used, down and killed, and what each leaves behind (needs what cluster-up needs)
	@$(NODE) test/cluster/run.ts test

demo: setup ## a real client, a real database, a model that is led astray
	@$(NODE) test/demo/demo.ts

bench: setup ## what the path costs, beside a bare proxy and nginx; writes out/bench.json
	@$(NODE) test/bench/run.ts

bench-quick: setup ## the same in under a minute; coarse
	@$(NODE) test/bench/run.ts --quick

fuzz: setup ## hostile bytes into every parser; MINUTES=24 for long runs, RUNS=2000 SEED=x for the same ones again
	@$(NODE) test/fuzz/run.ts $(if $(RUNS),--runs $(RUNS),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

build: setup ## dist/: one file that a Node >= 24 runs without node_modules
	@$(NODE) scripts/build.ts

generate: setup ## make types, schemas and reference pages from their sources
	@$(NODE) scripts/generate.ts

clean: ## remove what was made, installed libraries too
	@rm -rf node_modules out dist
