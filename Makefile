# Sallyport. `make help` lists the targets. Each has an npm-script twin: `npm run <target>`.
# GNU Make 3.81 features only. Every recipe runs the project's own Node, which `make setup` installs.

NODE = $(shell sh ./node-path.sh)

.PHONY: help setup check test demo bench build generate fuzz test-interop clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /	/' | expand -t 16

setup: node_modules/.ready ## install what the project needs (Node and libraries, pinned)

node_modules/.ready: package.json package-lock.json
	@npm ci --ignore-scripts --loglevel=error --no-audit --no-fund
	@touch node_modules/.ready

check: setup ## types, format, lint, generated files up to date
	@$(NODE) node_modules/typescript/bin/tsc --noEmit
	@$(NODE) node_modules/@biomejs/biome/bin/biome check .

test: setup ## the whole test suite; needs Node only
	@$(NODE) --test "pkg/**/*.test.ts" "test/*.test.ts"
