# mod_apache_manager: see `make help`.
# Every file built goes to build/; src/README.md tells the layers.

VERSION := $(shell sed -n 's/^\#define AMGR_VERSION "\(.*\)"/\1/p' src/base/base.h)
BUILD   ?= build
DESTDIR ?=
PREFIX  ?= /usr

CC     ?= cc
APXS   ?= $(shell command -v apxs apxs2 2>/dev/null | head -n 1)
HTTPD  ?= $(shell command -v apache2 httpd 2>/dev/null | head -n 1)
ifeq ($(HTTPD),)
HTTPD  := /usr/sbin/apache2
endif
PROVE  ?= prove
PROVE_FLAGS ?= -j 4 --timer
# What takes longest begins first, so that nothing long is left at the end; those
# that keep a core busy are among those that wait.
SLOW_TESTS := t/unit/run.t \
    $(addprefix t/httpd/, $(addsuffix .t, 350-handover-event \
    500-drain-worker 130-budgets-event 350-handover-worker 700-page-event \
    130-budgets-worker 500-drain-event 350-handover-prefork \
    130-budgets-prefork 500-drain-prefork 620-holdback 120-reasons-event \
    520-drain-http2 120-reasons-prefork 200-safety-worker 850-fleet \
    200-safety-event 140-command-prefork 510-drain-tls 200-safety-prefork \
    100-retire-event 700-page-prefork 100-retire-prefork 700-page-worker \
    100-retire-worker 831-zabbix-syslog))
TESTS  ?= $(SLOW_TESTS) $(filter-out $(SLOW_TESTS), $(sort \
    $(foreach dir,cli httpd lint unit fuzz,$(wildcard t/$(dir)/*.t))))

CFLAGS ?= -O2 -g

# V=1 shows every command.
Q   := $(if $(V),,@)
say  = $(if $(V),,@echo '  $(1) $@')
WARN   := -Wall -Wextra -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
          -Wshadow -Wvla -Wwrite-strings -Wpointer-arith -Wconversion -Wundef \
          -Wimplicit-fallthrough -Wdeclaration-after-statement
APR_INCLUDE   = $(shell apr-1-config --includes 2>/dev/null)
APR_CPPFLAGS  = $(shell apr-1-config --cppflags 2>/dev/null)
CORE_LIBS     = $(shell apr-1-config --link-ld --libs 2>/dev/null) -lm
HTTPD_INCLUDE = $(shell $(APXS) -q INCLUDEDIR 2>/dev/null)
LIBEXECDIR    = $(shell $(APXS) -q LIBEXECDIR 2>/dev/null)
SYSCONFDIR    = $(shell $(APXS) -q SYSCONFDIR 2>/dev/null)

ALL_CFLAGS  = -std=gnu11 -fPIC -fvisibility=hidden -fno-strict-aliasing \
              $(WARN) $(WERROR) $(CFLAGS) $(SANITIZE)
CORE_CPPFLAGS  = -Isrc $(patsubst -I%,-isystem %,$(APR_INCLUDE)) $(APR_CPPFLAGS)
HTTPD_CPPFLAGS = $(CORE_CPPFLAGS) -isystem $(HTTPD_INCLUDE)

# base to render know nothing of httpd: one archive for module, tool and tests.
CORE_LAYERS := base proc model policy action supervise render
CORE_SRC    := $(sort $(foreach l,$(CORE_LAYERS),$(wildcard src/$(l)/*.c src/$(l)/*/*.c)))
ASSETS      := $(sort $(wildcard src/render/assets/*.css \
                   src/render/assets/*.js))
CORE_OBJ    := $(CORE_SRC:%.c=$(BUILD)/%.o) $(BUILD)/src/render/assets.o
MODULE_SRC  := mod_apache_manager.c $(sort $(wildcard src/httpd/*.c))
MODULE_OBJ  := $(MODULE_SRC:%.c=$(BUILD)/%.o)
CORE_LIB    := $(BUILD)/libamgr.a
MODULE      := $(BUILD)/mod_apache_manager.so
# The tool; all of it but its beginning is an archive, for its unit tests.
CLI_SRC     := $(sort $(wildcard src/cli/*.c src/cli/*/*.c))
CLI_OBJ     := $(CLI_SRC:%.c=$(BUILD)/%.o)
CLI_LIB     := $(BUILD)/libamgr_cli.a
CLI         := $(BUILD)/apache-manager
CLI_LIBS    := -ljansson -linih -lncursesw -ltinfo
# What it has HTTP done by.
FETCH_SRC   := $(sort $(wildcard src/fetch/*.c))
FETCH_OBJ   := $(FETCH_SRC:%.c=$(BUILD)/%.o)
FETCH       := $(BUILD)/apache-manager-fetch
FETCH_DIR    = $(PREFIX)/libexec/apache-manager
# Its manual page, and that of the directives, which the README tells.
MAN8        := conf/man/apache-manager.8
MAN5        := $(BUILD)/man/mod_apache_manager.5
COMPLETION  := conf/completion/apache-manager
UNIT_SRC    := $(sort $(wildcard t/unit/*_test.c))
UNIT_BIN    := $(UNIT_SRC:t/unit/%.c=$(BUILD)/unit/%)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

all: $(MODULE) $(CLI) $(FETCH) $(MAN5) ## build module and tool (the default)

$(BUILD)/src/httpd/%.o: src/httpd/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HTTPD_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/mod_apache_manager.o: mod_apache_manager.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HTTPD_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/src/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The page's assets as texts of C: page.css becomes amgr_asset_page_css.  Their
# checksum is in their addresses, so that browsers may keep them.
$(BUILD)/src/render/assets.c: $(ASSETS) Makefile
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q){ echo '#include "render/assets.h"'; for f in $(ASSETS); do \
	    echo "const char amgr_asset_$$(basename $$f | tr . _)[] ="; \
	    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' $$f; \
	    echo ';'; done; \
	    echo "const char amgr_assets_version[] ="; \
	    echo "\"$$(cat $(ASSETS) | cksum | cut -d ' ' -f 1)\";"; } > $@

$(BUILD)/src/render/assets.o: $(BUILD)/src/render/assets.c src/render/assets.h
	$(call say,CC)
	$(Q)$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(CORE_LIB): $(CORE_OBJ)
	$(call say,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(MODULE): $(MODULE_OBJ) $(CORE_LIB)
	$(call say,LD)
	$(Q)$(CC) -shared -Wl,-z,relro,-z,now \
	    $(SANITIZE) $(LDFLAGS) -o $@ $(MODULE_OBJ) $(CORE_LIB) -lm

$(CLI_LIB): $(filter-out $(BUILD)/src/cli/main.o,$(CLI_OBJ))
	$(call say,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/src/cli/%.o $(BUILD)/src/httpd/%.o: \
    CORE_CPPFLAGS += -DAMGR_FETCH_DIR='"$(FETCH_DIR)"'

# Another PREFIX than before builds the tool and the module anew.
$(BUILD)/fetch_dir: always
	@mkdir -p $(@D)
	@echo '$(FETCH_DIR)' | cmp -s - $@ || echo '$(FETCH_DIR)' > $@

$(CLI_OBJ) $(BUILD)/src/httpd/supervisor_live.o: $(BUILD)/fetch_dir

$(CLI): $(BUILD)/src/cli/main.o $(CLI_LIB) $(CORE_LIB)
	$(call say,LD)
	$(Q)$(CC) -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS) -o $@ $^ \
	    $(CLI_LIBS) $(CORE_LIBS)

$(FETCH): $(FETCH_OBJ) $(CORE_LIB)
	$(call say,LD)
	$(Q)$(CC) -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS) -o $@ $^ \
	    -lcurl $(CORE_LIBS)

$(MAN5): conf/man/directives.pl README.md $(MAN8) src/base/base.h
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)perl conf/man/directives.pl README.md $(VERSION) < $(MAN8) > $@

$(BUILD)/unit/cli_%: t/unit/cli_%.c $(CLI_LIB) $(CORE_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
	    $(CLI_LIB) $(CORE_LIB) $(LDFLAGS) -lcmocka $(CLI_LIBS) $(CORE_LIBS)

$(BUILD)/unit/%: t/unit/%.c $(CORE_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
	    $(CORE_LIB) $(LDFLAGS) -lcmocka $(CORE_LIBS)

# Fuzz targets, built by the ordinary compiler to replay the kept inputs.
FUZZ_SRC := $(sort $(wildcard t/fuzz/fuzz_*.c))
FUZZ_BIN := $(FUZZ_SRC:t/fuzz/fuzz_%.c=$(BUILD)/fuzz/%)

$(BUILD)/fuzz/%: t/fuzz/fuzz_%.c t/fuzz/standalone.c $(CLI_LIB) $(CORE_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
	    t/fuzz/standalone.c $(CLI_LIB) $(CORE_LIB) $(LDFLAGS) $(CLI_LIBS) \
	    $(CORE_LIBS)

# The client of the load tests.
LOAD_SRC := $(sort $(wildcard t/lib/c/load*.c))
LOAD_BIN := $(BUILD)/load

$(LOAD_BIN): $(LOAD_SRC) $(wildcard t/lib/c/load*.h)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -D_GNU_SOURCE $(ALL_CFLAGS) -o $@ $(LOAD_SRC) \
	    $(LDFLAGS) -lssl -lcrypto

# What a run of a program costs.
MEASURE_BIN := $(BUILD)/measure

$(MEASURE_BIN): t/lib/c/measure.c
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -D_GNU_SOURCE $(ALL_CFLAGS) -o $@ $< $(LDFLAGS)

# What tells the tests where a board counts its ticks.
TICKS_BIN := $(BUILD)/board-ticks

$(TICKS_BIN): t/lib/c/board_ticks.c $(CORE_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
	    $(CORE_LIB) $(LDFLAGS) $(CORE_LIBS)

TESTED := $(MODULE) $(CLI) $(FETCH) $(MAN5) $(UNIT_BIN) $(FUZZ_BIN) \
          $(LOAD_BIN) $(TICKS_BIN)

check: $(TESTED) ## build and run every test, installing nothing
	AMGR_BUILD=$(BUILD) AMGR_MODULE=$(MODULE) AMGR_NPM=$(NPM_DIR) \
	    $(PROVE) $(PROVE_FLAGS) $(TESTS)

check-unit: $(UNIT_BIN) $(FETCH) ## run the unit tests alone
	AMGR_BUILD=$(BUILD) $(PROVE) t/unit/*.t

test: deps-test ## run every test (installs what is missing when root)
	$(MAKE) WERROR=-Werror check

test-asan: deps-test ## run the tests under AddressSanitizer and UBSan
	$(MAKE) BUILD=$(BUILD)/asan NPM_DIR=$(NPM_DIR) CFLAGS="-O1 -g -fno-omit-frame-pointer" \
	    SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined" \
	    TESTS="t/unit/*.t t/fuzz/*.t t/httpd/*.t t/cli/*.t" sanitized

# httpd itself is not instrumented, so the runtime is loaded before it; what
# httpd and its other modules never free is theirs.  The shims of some tests
# come before it.
sanitized:
	AMGR_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)" \
	ASAN_OPTIONS="detect_leaks=0:verify_asan_link_order=0:abort_on_error=1:disable_coredump=0:log_path=stderr" \
	UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1" \
	$(MAKE) BUILD=$(BUILD) CFLAGS="$(CFLAGS)" SANITIZE="$(SANITIZE)" \
	    TESTS="$(TESTS)" check

bench: deps-bench ## measure, as ratios in one run (README=1: into the README)
	$(MAKE) all $(CORE_LIB) $(MEASURE_BIN) $(TICKS_BIN)
	ulimit -n "$$(ulimit -H -n)"; AMGR_BUILD=$(BUILD) AMGR_MODULE=$(MODULE) \
	    t/bench/run.pl $(if $(README),--readme README.md)

run: deps ## a demonstration server on 127.0.0.1 (CHECK=1: prove it)
	$(MAKE) all
	AMGR_MODULE=$(MODULE) BUILD=$(BUILD) t/demo/run.sh

fleet: deps-fleet ## three demonstration servers and a Prometheus (CHECK=1)
	$(MAKE) all
	AMGR_BUILD=$(BUILD) AMGR_MODULE=$(MODULE) t/demo/fleet.pl

# What the tests take from npm, at the versions of t/package-lock.json.
NPM_DIR ?= $(BUILD)/npm

# Debian's packages: what building and running needs, and testing on top.
DEPS      := gcc libc6-dev make apache2-bin apache2-dev perl curl python3 \
             libapache2-mod-wsgi-py3 media-types libcurl4-openssl-dev \
             libinih-dev libjansson-dev libncurses-dev
DEPS_TEST := $(DEPS) libcmocka-dev libapache2-mod-perl2 libwww-perl libssl-dev \
             openssl lynx wget python3-jsonschema valgrind chromium chromium-driver \
             fonts-dejavu-core nodejs/node npm/npm prometheus zabbix-agent \
             zabbix-agent2 python3-yaml apache2 collectd-core libcurl3-gnutls \
             liblocale-gettext-perl libmonitoring-plugin-perl monit \
             monitoring-plugins-basic monitoring-plugins-contrib \
             munin-plugins-core prometheus-apache-exporter \
             tmux mandoc man-db bash-completion redis-server apache2-utils
DEPS_BENCH := $(DEPS) libapache2-mod-perl2 libwww-perl strace valgrind
DEPS_FLEET := $(DEPS) libapache2-mod-perl2 libwww-perl prometheus

deps: ## install what building and running needs (root), or name it
	@t/deps.sh $(DEPS)

deps-test: ## install what testing needs (root), or name it
	@t/deps.sh $(DEPS_TEST)
	@t/deps_npm.sh $(NPM_DIR)

deps-bench:
	@t/deps.sh $(DEPS_BENCH)

deps-fleet:
	@t/deps.sh $(DEPS_FLEET)

install: all ## install everything (DESTDIR, PREFIX)
	install -d "$(DESTDIR)$(LIBEXECDIR)" \
	    "$(DESTDIR)$(SYSCONFDIR)/mods-available" \
	    "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(FETCH_DIR)" \
	    "$(DESTDIR)$(PREFIX)/share/man/man5" \
	    "$(DESTDIR)$(PREFIX)/share/man/man8" \
	    "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" \
	    "$(DESTDIR)$(PREFIX)/share/doc/mod-apache-manager"
	install -m 0644 $(MODULE) "$(DESTDIR)$(LIBEXECDIR)/"
	install -m 0755 $(CLI) "$(DESTDIR)$(PREFIX)/bin/"
	install -m 0755 $(FETCH) "$(DESTDIR)$(FETCH_DIR)/"
	install -m 0644 $(MAN5) "$(DESTDIR)$(PREFIX)/share/man/man5/"
	install -m 0644 $(MAN8) "$(DESTDIR)$(PREFIX)/share/man/man8/"
	install -m 0644 $(COMPLETION) \
	    "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/"
	install -d "$(DESTDIR)$(HTTPD_INCLUDE)"
	install -m 0644 src/httpd/mod_apache_manager.h \
	    "$(DESTDIR)$(HTTPD_INCLUDE)/"
	sed 's|@LIBEXECDIR@|$(LIBEXECDIR)|' conf/apache_manager.load \
	    > "$(DESTDIR)$(SYSCONFDIR)/mods-available/apache_manager.load"
	chmod 0644 "$(DESTDIR)$(SYSCONFDIR)/mods-available/apache_manager.load"
	install -m 0644 conf/apache_manager.conf \
	    "$(DESTDIR)$(SYSCONFDIR)/mods-available/"
	install -m 0644 README.md LICENSE conf/reference.conf \
	    src/render/status.schema.json \
	    "$(DESTDIR)$(PREFIX)/share/doc/mod-apache-manager/"
	for dir in prometheus grafana zabbix; do \
	    install -d "$(DESTDIR)$(PREFIX)/share/doc/mod-apache-manager/$$dir" && \
	    install -m 0644 conf/$$dir/* \
	        "$(DESTDIR)$(PREFIX)/share/doc/mod-apache-manager/$$dir/" || \
	    exit 1; \
	done

compile_commands.json: Makefile ## what editors and analysers read
	@mkdir -p $(BUILD)
	@{ echo '['; sep=; for f in $(CORE_SRC) $(CLI_SRC) $(FETCH_SRC) \
	    $(MODULE_SRC); do \
	    printf '%s{"directory": "%s", "file": "%s", "command": "%s -c %s"}\n' \
	        "$$sep" "$(CURDIR)" "$$f" \
	        '$(CC) $(subst ",\\\",$(HTTPD_CPPFLAGS)) $(ALL_CFLAGS)' "$$f"; \
	    sep=,; done; echo ']'; } > $(BUILD)/$@

help: ## this list
	@echo "mod_apache_manager $(VERSION)"
	@sed -n 's/^\([a-z][a-z._-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
	    awk -F'|' '{ printf "%-29s %s\n", $$1, $$2 }'

clean: ## remove everything built
	rm -rf $(BUILD)

-include $(CORE_OBJ:.o=.d) $(MODULE_OBJ:.o=.d)
-include $(CLI_OBJ:.o=.d) $(FETCH_OBJ:.o=.d)
-include $(UNIT_BIN:=.d) $(FUZZ_BIN:=.d) $(TICKS_BIN).d

.PHONY: all always bench check check-unit clean compile_commands.json deps \
        deps-bench deps-fleet deps-test fleet help install run sanitized test test-asan
