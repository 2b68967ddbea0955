# Klatch. GNU make; `make help` lists the targets.
#
# Everything that is built or fetched lies below build/; only `all` puts copies beside the sources,
# where a host and the page look for them (cgi-bin/, public_html/vendor/; git ignores both).

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
B := build
# A line for each step; V=1 shows the commands.
ifeq ($(V),)
Q := @
endif
step = @printf '  %-5s %s\n' $(1) $@

# ---- flags -------------------------------------------------------------------------------------

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
            -Wpointer-arith -Wwrite-strings -Wundef -Wcast-qual -Wimplicit-fallthrough \
            -Wnull-dereference -Wconversion -Wno-sign-conversion
HARDENING := -fPIE -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE \
             -D_FORTIFY_SOURCE=2
SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
            -DKLATCH_FAULTS
LANGUAGE := -std=c11 -D_GNU_SOURCE -Isrc
DEPENDENCIES = -MMD -MP -MF $(@:.o=.d)
LINK := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
LIBS := -lfcgi -lsqlite3 -lcjson -luuid -lmbedcrypto -lpthread

# ---- what there is -----------------------------------------------------------------------------

SOURCES := $(sort $(wildcard src/*.c))
TABLES := schema feed
NAMES := $(SOURCES:src/%.c=%) $(TABLES)
OBJECTS := $(NAMES:%=$(B)/obj/%.o)
STRICT_OBJECTS := $(NAMES:%=$(B)/strict/%.o)
ASAN_OBJECTS := $(NAMES:%=$(B)/asan/obj/%.o)
ASAN_LIB_OBJECTS := $(filter-out $(B)/asan/obj/main.o,$(ASAN_OBJECTS))
UNIT_PROGRAMS := $(patsubst tests/unit/%.c,$(B)/asan/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_HELPERS := $(patsubst tests/unit/%.c,$(B)/asan/unit-obj/%.o,\
                $(filter-out tests/unit/test_%.c,$(wildcard tests/unit/*.c)))
C_FILES := $(sort $(wildcard src/*.[ch] tests/*/*.[ch] tests/bench/*/*.[ch]))
SHELL_FILES := $(sort $(wildcard deploy/*.sh deploy/*/*.sh deploy/dist/*.cgi deploy/dist/*/*.cgi \
               tests/*.sh tests/*/*.sh)) .ci/run

# ---- targets for people ------------------------------------------------------------------------

.PHONY: all run test unit integration browser test-browser lint asan screenshots bench bench-full fuzz fuzz-long format install \
        clean help vendor unit-programs asan-binary need-compiler

all: cgi-bin/klatch.fcgi cgi-bin/klatch.cgi public_html/vendor/lit-html/LICENSE ## build the binary and fetch what the page uses

run: ## install what is missing, build, serve at http://localhost:8080/ (PORT= HOST= HTTPS=1 CONFIG=)
	@deploy/setup.sh run
	@$(MAKE) --no-print-directory --silent $(B)/klatch.fcgi vendor
	@exec deploy/serve.sh

test: ## install what tests need, run every suite (SUITES="lint unit sdk ui integration browser")
	@deploy/setup.sh test
	@$(MAKE) --no-print-directory --silent $(B)/npm-test.stamp
	@exec node tests/run.mjs $(SUITES)

unit: ## the C modules' own tests, under the sanitizers
	@$(MAKE) --no-print-directory test SUITES=unit

integration: ## the API through nginx, FastCGI and CGI
	@$(MAKE) --no-print-directory test SUITES=integration

test-browser: ## what needs real browsers, the long ones in network namespaces too
	@$(MAKE) --no-print-directory test SUITES="browser browser-long"

browser: ## people meeting in real Chromium
	@$(MAKE) --no-print-directory test SUITES=browser

lint: ## every checker of C, shell and JavaScript
	@deploy/setup.sh test
	@$(MAKE) --no-print-directory --silent $(B)/npm-test.stamp vendor
	@$(MAKE) --no-print-directory --keep-going $(LINTS:%=lint-%)

asan: $(B)/asan/klatch.fcgi unit-programs ## build the binary and the unit tests with ASan and UBSan

screenshots: ## every screen at three sizes and in both themes, in build/screenshots/; README=1: the README's pictures
	@deploy/setup.sh test
	@$(MAKE) --no-print-directory --silent $(B)/npm-test.stamp public_html/vendor/lit-html/LICENSE
	@exec node tests/ui/pictures.mjs $(if $(README),deploy/pictures readme,$(B)/screenshots all)

bench: ## measure Klatch beside others, quick (3 minutes); the table lands in build/bench/
	@deploy/setup.sh bench
	@$(MAKE) --no-print-directory --silent bench-ready
	@exec node tests/bench/bench.mjs

bench-full: ## the same with 10,000 waiters and rooms, curves and three laps (half an hour)
	@deploy/setup.sh bench
	@$(MAKE) --no-print-directory --silent bench-ready
	@exec node tests/bench/bench.mjs --full

FUZZ_SECONDS ?= 20
fuzz: ## replay the corpora, then look for new crashes, FUZZ_SECONDS=20 for each target
	@deploy/setup.sh fuzz
	@$(MAKE) --no-print-directory --silent $(FUZZERS)
	@set -e; for f in $(FUZZ_NAMES); do mkdir -p $(B)/fuzz/found/$$f; echo "fuzz $$f"; \
	  $(B)/fuzz/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 \
	  -verbosity=0 -artifact_prefix=$(B)/fuzz/crash-$$f- $(B)/fuzz/found/$$f tests/fuzz/corpus/$$f; done

fuzz-long: ## the same for an hour each
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=3600

format: ## let clang-format lay out the C sources
	clang-format -i $(C_FILES)

PREFIX ?= /usr/local
# Those that serve what is installed here.
INSTALLED_RECIPES := nginx apache-proxy-fcgi systemd
install: all ## copy to DESTDIR= under PREFIX=/usr/local
	install -d "$(DESTDIR)$(PREFIX)/lib/klatch/cgi-bin" $(INSTALLED_RECIPES:%="$(DESTDIR)$(PREFIX)/share/doc/klatch/%")
	install -m 755 $(B)/klatch.fcgi "$(DESTDIR)$(PREFIX)/lib/klatch/cgi-bin/klatch.fcgi"
	install -m 755 $(B)/klatch.fcgi "$(DESTDIR)$(PREFIX)/lib/klatch/cgi-bin/klatch.cgi"
	install -m 644 cgi-bin/klatch.conf.sample "$(DESTDIR)$(PREFIX)/lib/klatch/cgi-bin/"
	cd public_html && find . -type d -exec install -d "$(DESTDIR)$(PREFIX)/share/klatch/public_html/{}" \;
	cd public_html && find . -type f -exec install -m 644 {} "$(DESTDIR)$(PREFIX)/share/klatch/public_html/{}" \;
	install -m 644 LICENSE CHANGELOG.md "$(DESTDIR)$(PREFIX)/share/doc/klatch/"
	for recipe in $(INSTALLED_RECIPES); do install -m 644 deploy/$$recipe/* "$(DESTDIR)$(PREFIX)/share/doc/klatch/$$recipe/"; done

clean: ## remove everything that was built or fetched
	rm -rf $(B) public_html/vendor
	rm -f cgi-bin/klatch.fcgi cgi-bin/klatch.cgi tests/node_modules

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile deploy/dist/Makefile.inc deploy/npm/Makefile.inc | expand -t 16

# ---- the binary --------------------------------------------------------------------------------

# Say in one line what is missing, instead of a page of the compiler's.
need-compiler:
	@command -v $(CC) >/dev/null || { echo "make: $(CC) is missing: apt-get install gcc libc6-dev" >&2; exit 1; }
	@test -e $(B)/headers.stamp || { mkdir -p $(B) && printf '#include <fcgiapp.h>\n#include <sqlite3.h>\n#include <cjson/cJSON.h>\n#include <uuid/uuid.h>\n#include <mbedtls/sha256.h>\n' \
	| $(CC) -E -x c - >/dev/null 2>&1 && touch $(B)/headers.stamp; } \
	|| { echo "make: the libraries' headers are missing: deploy/setup.sh run installs them" >&2; exit 1; }

$(B)/obj $(B)/strict $(B)/asan/obj $(B)/asan/unit $(B)/asan/unit-obj $(B)/fuzz:
	@mkdir -p $@

$(B)/obj/%.o: src/%.c | need-compiler $(B)/obj
	$(call step,CC)
	$(Q)$(CC) $(LANGUAGE) $(WARNINGS) $(HARDENING) $(CPPFLAGS) $(CFLAGS) $(DEPENDENCIES) -c -o $@ $<

$(B)/strict/%.o: src/%.c | need-compiler $(B)/strict
	$(Q)$(CC) $(LANGUAGE) $(WARNINGS) -Werror $(HARDENING) -O2 $(DEPENDENCIES) -c -o $@ $<

$(B)/asan/obj/%.o: src/%.c | need-compiler $(B)/asan/obj
	$(call step,CC)
	$(Q)$(CC) $(LANGUAGE) $(WARNINGS) $(SANITIZE) $(DEPENDENCIES) -c -o $@ $<

$(TABLES:%=$(B)/obj/%.o) $(TABLES:%=$(B)/strict/%.o) $(TABLES:%=$(B)/asan/obj/%.o): $(TABLES:%=$(B)/%.c)
	@mkdir -p $(@D)
	$(call step,CC)
	$(Q)$(CC) $(LANGUAGE) $(if $(findstring asan,$@),$(SANITIZE),$(HARDENING) $(CFLAGS)) $(DEPENDENCIES) -c -o $@ $(B)/$(notdir $(@:.o=.c))

# Tables as a C string. Every `?` is escaped for the sake of trigraphs.
$(TABLES:%=$(B)/%.c): $(B)/%.c: %.sql Makefile
	@mkdir -p $(@D)
	@{ echo '/* Made from $<. */'; echo 'extern const char $*_sql[];'; \
	   echo 'const char $*_sql[] ='; \
	   sed -e 's/[\\"?]/\\&/g' -e 's/.*/    "&\\n"/' $<; echo '    ;'; } > $@

$(B)/klatch.fcgi: $(OBJECTS)
	$(call step,LINK)
	$(Q)$(CC) $(HARDENING) $(CFLAGS) $(LDFLAGS) $(LINK) -o $@ $^ $(LIBS)

$(B)/asan/klatch.fcgi: $(ASAN_OBJECTS)
	$(call step,LINK)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(LIBS)

# A running program's file can't be written over; install unlinks it first.
cgi-bin/klatch.fcgi cgi-bin/klatch.cgi: $(B)/klatch.fcgi
	@install -m 755 $< $@

# ---- unit tests --------------------------------------------------------------------------------

asan-binary: $(B)/asan/klatch.fcgi
unit-programs: $(UNIT_PROGRAMS)

$(B)/asan/libklatch.a: $(ASAN_LIB_OBJECTS)
	@rm -f $@
	$(call step,AR)
	$(Q)$(AR) rcs $@ $^

$(B)/asan/unit-obj/%.o: tests/unit/%.c | need-compiler $(B)/asan/unit-obj
	$(call step,CC)
	$(Q)$(CC) $(LANGUAGE) $(WARNINGS) $(SANITIZE) $(DEPENDENCIES) -c -o $@ $<

$(B)/asan/unit/%: $(B)/asan/unit-obj/%.o $(UNIT_HELPERS) $(B)/asan/libklatch.a | $(B)/asan/unit
	$(call step,LINK)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ -lcmocka $(LIBS)

.PRECIOUS: $(B)/asan/unit-obj/%.o

# ---- fuzzing and measuring ---------------------------------------------------------------------

FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZERS := $(FUZZ_NAMES:%=$(B)/fuzz/fuzz_%)
FUZZ_OBJECTS := $(patsubst %,$(B)/fuzz/%.o,$(filter-out main,$(NAMES)))
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all

$(B)/fuzz/%.o: src/%.c | $(B)/fuzz
	$(call step,CLANG)
	$(Q)$(CLANG) $(LANGUAGE) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined $(DEPENDENCIES) -c -o $@ $<

$(TABLES:%=$(B)/fuzz/%.o): $(B)/fuzz/%.o: $(B)/%.c | $(B)/fuzz
	$(Q)$(CLANG) $(LANGUAGE) $(FUZZ_FLAGS) -c -o $@ $<

$(B)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(wildcard tests/fuzz/*.h) $(FUZZ_OBJECTS) | $(B)/fuzz
	$(call step,LINK)
	$(Q)$(CLANG) $(LANGUAGE) $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined -o $@ $< $(FUZZ_OBJECTS) $(LIBS)

# ---- npm: pinned in package-lock.json, installed below build/ ----------------------------------

NPM_CI := npm ci --ignore-scripts --no-fund --no-audit --no-update-notifier --loglevel=error \
          --cache npm-cache
DIRECTIVES := $(B)/vendor/lit-html/directives

$(B)/npm-run.stamp: package.json package-lock.json
	@deploy/setup.sh check npm
	@mkdir -p $(B) && rm -f $(B)/npm-test.stamp && cp package.json package-lock.json $(B)/
	$(call step,NPM)
	$(Q)cd $(B) && $(NPM_CI) --omit=dev
	@touch $@

# Tests name these packages as Node finds them, by a link that it meets on its way up.
$(B)/npm-test.stamp: package.json package-lock.json
	@deploy/setup.sh check npm
	@mkdir -p $(B) && cp package.json package-lock.json $(B)/
	$(call step,NPM)
	$(Q)cd $(B) && $(NPM_CI)
	@ln -sfn ../$(B)/node_modules tests/node_modules
	@touch $(B)/npm-run.stamp $@

# What the page loads from /vendor/, with its licence; the .d.ts are for `tsc` alone.
VENDORED := lit-html noble-hashes uplot
vendor: $(VENDORED:%=$(B)/vendor/%/LICENSE)

$(B)/vendor/lit-html/LICENSE: $(B)/npm-run.stamp
	@rm -rf $(@D) && mkdir -p $(DIRECTIVES)
	@cp $(B)/node_modules/lit-html/*.js $(B)/node_modules/lit-html/*.d.ts $(@D)/
	@cp $(B)/node_modules/lit-html/directives/*.js $(B)/node_modules/lit-html/directives/*.d.ts $(DIRECTIVES)/
	@cp $(B)/node_modules/lit-html/LICENSE $@ && touch $@

# SHA-256 in pieces, and the modules that it is made of.
NOBLE := sha2 _md _u64 utils
$(B)/vendor/noble-hashes/LICENSE: $(B)/npm-run.stamp
	@rm -rf $(@D) && mkdir -p $(@D)
	@cp $(foreach module,$(NOBLE),$(B)/node_modules/@noble/hashes/$(module).js) $(@D)/
	@cp $(foreach module,$(NOBLE),$(B)/node_modules/@noble/hashes/$(module).d.ts) $(@D)/
	@cp $(B)/node_modules/@noble/hashes/LICENSE $@ && touch $@

# Plots. The style sheet becomes a module, since the page's own sheets are modules too.
$(B)/vendor/uplot/LICENSE: $(B)/npm-run.stamp
	@rm -rf $(@D) && mkdir -p $(@D)
	@cp $(B)/node_modules/uplot/dist/uPlot.esm.js $(@D)/uplot.js
	@cp $(B)/node_modules/uplot/dist/uPlot.d.ts $(@D)/uplot.d.ts
	@{ printf 'export default `'; cat $(B)/node_modules/uplot/dist/uPlot.min.css; printf '`;\n'; } >$(@D)/uplot.css.js
	@printf 'declare const css: string;\nexport default css;\n' >$(@D)/uplot.css.d.ts
	@cp $(B)/node_modules/uplot/LICENSE $@ && touch $@

public_html/vendor/lit-html/LICENSE: $(VENDORED:%=$(B)/vendor/%/LICENSE)
	@rm -rf public_html/vendor && mkdir -p public_html/vendor
	@cp -R $(VENDORED:%=$(B)/vendor/%) public_html/vendor/
	@find public_html/vendor -name '*.d.ts' -exec rm -f {} +
	@touch $@

include tests/bench/Makefile.inc
include deploy/dist/Makefile.inc
include deploy/npm/Makefile.inc
include tests/dist/Makefile.inc

# ---- lint: each is one test of `make test` -----------------------------------------------------

LINTS := gcc clang-format clang-tidy cppcheck shellcheck eslint tsc openapi
.PHONY: $(LINTS:%=lint-%) lint-names

lint-names:
	@echo $(LINTS)

lint-gcc: $(STRICT_OBJECTS)

lint-clang-format:
	clang-format --dry-run --Werror $(C_FILES)

TIDY_FILES := $(sort $(wildcard src/*.c tests/unit/*.c))
lint-clang-tidy: $(TIDY_FILES:%=$(B)/tidy/%.ok)

$(B)/tidy/%.ok: % .clang-tidy tests/.clang-tidy $(wildcard src/*.h)
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(LANGUAGE) -DKLATCH_FAULTS 2>$@.log || { cat $@.log; false; }
	@touch $@

# Uninitialised variables are the compiler's and clang-tidy's: cppcheck takes every array that is
# handed out to be filled for one.
lint-cppcheck:
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
	  --inline-suppr --suppress=missingIncludeSystem --suppress=uninitvar \
	  --suppress=legacyUninitvar -D_GNU_SOURCE -DKLATCH_FAULTS -Isrc src

lint-shellcheck:
	shellcheck --external-sources $(SHELL_FILES)

lint-eslint: $(B)/npm-test.stamp
	node $(B)/node_modules/eslint/bin/eslint.js --max-warnings 0 .

lint-tsc: $(B)/npm-test.stamp vendor
	node $(B)/node_modules/typescript/bin/tsc --project tsconfig.json

lint-openapi: $(B)/npm-test.stamp
	node tests/setup/lint-openapi.mjs public_html/openapi.yaml

-include $(wildcard $(B)/obj/*.d $(B)/strict/*.d $(B)/asan/obj/*.d $(B)/asan/unit-obj/*.d $(B)/fuzz/*.d)
