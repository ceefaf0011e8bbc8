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

# Packages are fortified as well; here it would hide calls from tests' shims.
CFLAGS ?= -O2 -g -fstack-protector-strong

# V=1 shows every command.
Q   := $(if $(V),,@)
say  = $(if $(V),,@echo '  $(1) $@')
WARN   := -Wall -Wextra -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
          -Wshadow -Wvla -Wwrite-strings -Wpointer-arith -Wconversion -Wundef \
          -Wimplicit-fallthrough -Wdeclaration-after-statement \
          -Wold-style-definition -Wnested-externs -Walloca -Wunused-macros \
          -Wdate-time
# Those that clang has not got.
ifeq ($(findstring clang,$(CC)),)
WARN   += -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wtrampolines \
          -Wformat-signedness -Wjump-misses-init -Walloc-zero -Wformat-overflow=2 \
          -Wunused-const-variable=2 -Wshift-overflow=2 -Warray-bounds=2
endif
APR_INCLUDE   = $(shell apr-1-config --includes 2>/dev/null)
APR_CPPFLAGS  = $(shell apr-1-config --cppflags 2>/dev/null)
CORE_LIBS     = $(shell apr-1-config --link-ld --libs 2>/dev/null) -lm
HTTPD_INCLUDE = $(shell $(APXS) -q INCLUDEDIR 2>/dev/null)
LIBEXECDIR    = $(shell $(APXS) -q LIBEXECDIR 2>/dev/null)
SYSCONFDIR    = $(shell $(APXS) -q SYSCONFDIR 2>/dev/null)

ALL_CFLAGS  = -std=gnu11 -fPIC -fvisibility=hidden -fno-strict-aliasing \
              $(WARN) $(WERROR) $(CPPFLAGS) $(CFLAGS) $(SANITIZE)
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

# Nor do objects stay that were compiled with other flags of this file.
$(CORE_OBJ) $(MODULE_OBJ) $(CLI_OBJ) $(FETCH_OBJ): Makefile

$(CLI): $(BUILD)/src/cli/main.o $(CLI_LIB) $(CORE_LIB)
	$(call say,LD)
	$(Q)$(CC) -pie -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS) -o $@ $^ \
	    $(CLI_LIBS) $(CORE_LIBS)

$(FETCH): $(FETCH_OBJ) $(CORE_LIB)
	$(call say,LD)
	$(Q)$(CC) -pie -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS) -o $@ $^ \
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

# Of httpd's layer, and knows nothing of httpd.
$(BUILD)/unit/children_test: $(BUILD)/src/httpd/children.o

$(BUILD)/unit/%: t/unit/%.c $(CORE_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
	    $(filter %.o,$^) $(CORE_LIB) $(LDFLAGS) -lcmocka $(CORE_LIBS)

# Fuzz targets, built by the ordinary compiler to replay the kept inputs; make
# fuzz has libFuzzer in the place of their main().
FUZZ_SRC  := $(sort $(wildcard t/fuzz/fuzz_*.c))
FUZZ_BIN  := $(FUZZ_SRC:t/fuzz/fuzz_%.c=$(BUILD)/fuzz/%)
FUZZ_MAIN ?= $(BUILD)/fuzz/standalone.o
# Functions that pools.c has in the place of APR's, and a target of its own in
# the place of whatever would reach beyond the fuzzed process.
FUZZ_WRAP := apr_palloc apr_pcalloc apr_pmemdup apr_pstrdup apr_pstrmemdup \
             apr_pstrndup
FUZZ_CLI   = $(CLI_LIB)
$(BUILD)/fuzz/output: FUZZ_CLI := # which has an output of its own
$(BUILD)/fuzz/board: FUZZ_WRAP += amgr_local_server_board apr_sleep
$(BUILD)/fuzz/fetch $(BUILD)/fuzz/fetch_input: \
    $(filter-out $(BUILD)/src/fetch/main.o,$(FETCH_OBJ))
$(BUILD)/fuzz/fetch $(BUILD)/fuzz/fetch_input: FUZZ_LIBS := -lcurl
$(BUILD)/fuzz/fetch: FUZZ_WRAP += curl_easy_perform getifaddrs
$(BUILD)/fuzz/fetch $(BUILD)/fuzz/fetch_answer: \
    FUZZ_WRAP += amgr_fetch_process_run amgr_attempt_program_run clearenv
$(BUILD)/fuzz/guard: FUZZ_WRAP += amgr_clock_monotonic_us \
    amgr_descriptors_close amgr_guard_tree_children amgr_guard_tree_open \
    amgr_guard_tree_signal amgr_launch_report amgr_launch_start \
    amgr_notify_open amgr_notify_read amgr_output_close amgr_output_drop \
    amgr_output_due amgr_output_is_over amgr_output_last amgr_output_look \
    amgr_output_open amgr_output_read amgr_output_reopen amgr_proc_read_stat \
    _exit close dup2 dup3 fcntl kill open poll prctl read recvmsg send setsid \
    sigaction signalfd sigprocmask waitid waitpid
$(BUILD)/fuzz/line_server: FUZZ_WRAP += accept4 amgr_clock_monotonic_us close \
    getsockopt poll recv send
$(BUILD)/fuzz/lines: FUZZ_WRAP += read sendto recvfrom
$(BUILD)/fuzz/options: FUZZ_WRAP += amgr_settings_read
# Of httpd's layer; what that calls of httpd and of the rest of the layer, the
# target has.
$(BUILD)/fuzz/budget: $(BUILD)/src/httpd/mailbox.o
$(BUILD)/fuzz/control_order: $(BUILD)/src/httpd/control_order.o
$(BUILD)/fuzz/scoreboard: \
    $(addprefix $(BUILD)/src/httpd/,mailbox.o scoreboard.o slot_times.o)
$(BUILD)/fuzz/directives: $(addprefix $(BUILD)/src/httpd/,config.o \
    control_setting.o directives.o directives_paths.o directives_reasons.o \
    directives_section.o directory.o gate.o managed_section.o max_time.o \
    verifiers.o)
$(BUILD)/fuzz/gate: $(BUILD)/src/httpd/gate.o
$(BUILD)/fuzz/request: $(addprefix $(BUILD)/src/httpd/,answer.o endpoints.o \
    handler.o handler_place.o order_audit.o order_body.o order_handler.o \
    order_proof.o pymanager.o)
$(BUILD)/fuzz/request: FUZZ_WRAP += apr_generate_random_bytes
$(addprefix $(BUILD)/fuzz/,control_order directives gate request scoreboard): \
    APR_CPPFLAGS += -isystem $(HTTPD_INCLUDE)
$(BUILD)/fuzz/budget: FUZZ_WRAP += kill
$(BUILD)/fuzz/proc_files: FUZZ_WRAP += access close closedir fdopendir \
    getdents64 openat pread read readdir readlink readlinkat socket stat
$(BUILD)/fuzz/reports: FUZZ_WRAP += fork getppid pipe2 ppoll prctl sigaction \
    signal sigprocmask waitpid
$(BUILD)/fuzz/retire: FUZZ_WRAP += amgr_proc_read_stat close syscall
$(BUILD)/fuzz/supervisor: FUZZ_WRAP += amgr_guard_start amgr_attempt_start \
    amgr_attempt_has_ended amgr_attempt_kill amgr_attempt_hear amgr_tree_sweep \
    amgr_tree_read amgr_address_is_free amgr_clock_read \
    amgr_clock_monotonic_us amgr_board_read_managed amgr_board_write_managed \
    amgr_proc_dir_open apr_pool_create_ex getppid poll __poll_chk _exit setpgid \
    prctl signal sigprocmask signalfd kill wait4

$(BUILD)/fuzz/pools.o $(BUILD)/fuzz/standalone.o: $(BUILD)/fuzz/%.o: \
    t/fuzz/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/fuzz/%: t/fuzz/fuzz_%.c $(BUILD)/fuzz/pools.o \
    $(filter %.o,$(FUZZ_MAIN)) $(CLI_LIB) $(CORE_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
	    $(filter %.o,$^) $(filter -%,$(FUZZ_MAIN)) \
	    $(FUZZ_WRAP:%=-Wl,--wrap=%) $(FUZZ_CLI) $(CORE_LIB) $(LDFLAGS) \
	    $(FUZZ_LIBS) $(CLI_LIBS) $(CORE_LIBS)

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

# A process that nobody has to signal.
DECOY_BIN := $(BUILD)/decoy

$(DECOY_BIN): t/lib/c/decoy.c t/lib/c/decoy.h
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

# Another build of the module, which keeps its records in another way: what the
# sources of httpd's layer become in NEXT_DIR.
NEXT_DIR := $(BUILD)/next
NEXT_SRC := $(MODULE_SRC:%=$(NEXT_DIR)/%)
NEXT_HDR := $(addprefix $(NEXT_DIR)/,$(wildcard src/httpd/*.h))
NEXT_OBJ := $(NEXT_SRC:.c=.o)
NEXT     := $(NEXT_DIR)/mod_apache_manager.so

$(NEXT_SRC) $(NEXT_HDR): $(NEXT_DIR)/%: % t/lib/next_build.pl
	@mkdir -p $(@D)
	$(Q)perl t/lib/next_build.pl $< > $@

$(NEXT_OBJ): CORE_CPPFLAGS := -I$(NEXT_DIR)/src $(CORE_CPPFLAGS) \
    -DAMGR_FETCH_DIR='"$(FETCH_DIR)"'
$(NEXT_OBJ): %.o: %.c $(NEXT_HDR) $(BUILD)/fetch_dir Makefile
	$(call say,CC)
	$(Q)$(CC) $(HTTPD_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(NEXT): $(NEXT_OBJ) $(CORE_LIB)
	$(call say,LD)
	$(Q)$(CC) -shared $(SANITIZE) $(LDFLAGS) -o $@ $^ -lm

# What makes calls fail, by LD_PRELOAD; never instrumented itself.
INJECT := $(BUILD)/inject.so

$(INJECT): t/lib/c/inject.c t/lib/c/inject_calls.c t/lib/c/inject.h
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -std=gnu11 -shared -fPIC -O1 -g -Wall -Wextra $(WERROR) -o $@ \
	    t/lib/c/inject.c t/lib/c/inject_calls.c

TESTED := $(MODULE) $(CLI) $(FETCH) $(MAN5) $(UNIT_BIN) $(FUZZ_BIN) \
          $(LOAD_BIN) $(TICKS_BIN) $(DECOY_BIN) $(INJECT) $(NEXT)

tested: $(TESTED)

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

test-tsan: deps-test ## run what threads do on event under ThreadSanitizer
	$(MAKE) BUILD=$(BUILD)/tsan NPM_DIR=$(NPM_DIR) \
	    CFLAGS="-O1 -g -fno-omit-frame-pointer" SANITIZE="-fsanitize=thread" \
	    threaded

# Of httpd itself and the C library, which are not instrumented, nothing is
# told; how its threads hand memory to each other has to be seen all the same.
TSAN_SHIM  := $(BUILD)/atomics.so
TSAN_TESTS ?= t/tsan/*.t $(addprefix t/httpd/, $(addsuffix -event.t, \
    020-endpoints 100-retire 120-reasons 300-restart 500-drain 600-control \
    800-metrics 810-auto 920-managed-http 970-gate))

$(TSAN_SHIM): t/lib/c/atomics.c
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -shared $(CORE_CPPFLAGS) $(ALL_CFLAGS) -o $@ $<

threaded: $(MODULE) $(CLI) $(FETCH) $(LOAD_BIN) $(TICKS_BIN) $(TSAN_SHIM)
	AMGR_PRELOAD="$$($(CC) -print-file-name=libtsan.so) $(abspath $(TSAN_SHIM))" \
	TSAN_OPTIONS="suppressions=$(abspath t/tsan/suppressions):ignore_noninstrumented_modules=1:die_after_fork=0:history_size=4:exitcode=0" \
	AMGR_BUILD=$(BUILD) AMGR_MODULE=$(MODULE) AMGR_NPM=$(NPM_DIR) \
	    $(PROVE) $(PROVE_FLAGS) $(TSAN_TESTS)

test-valgrind: deps-valgrind ## whole servers under valgrind's memcheck
	$(MAKE) $(MODULE) $(CLI) $(FETCH) $(TICKS_BIN)
	AMGR_BUILD=$(BUILD) AMGR_MODULE=$(MODULE) $(PROVE) --timer -v t/valgrind

analyze: deps-analyze compile_commands.json ## gcc -fanalyzer, clang-tidy, cppcheck (FILES=...)
	t/analyze/run.sh $(BUILD) $(FILES)

coverage: deps-coverage ## which lines the tests run: 90 % at least
	MAKE=$(MAKE) HTTPD=$(HTTPD) LIBEXECDIR=$(LIBEXECDIR) NPM_DIR=$(NPM_DIR) \
	    t/coverage/run.sh $(BUILD)/coverage \
	    "t/unit/*.t t/fuzz/*.t t/httpd/*.t t/cli/*.t"

# By clang, to a place of its own; what libFuzzer finds stays there too.
FUZZ_BUILD = $(BUILD)/libfuzzer
fuzz_make  = $(MAKE) BUILD=$(FUZZ_BUILD) CC=clang FUZZ_MAIN=-fsanitize=fuzzer \
	CFLAGS="-O1 -g -fno-omit-frame-pointer" SANITIZE="-fsanitize=address,$\
	undefined,fuzzer-no-link -fno-sanitize-recover=undefined" fuzz-targets
fuzz_run   = AMGR_BUILD=$(FUZZ_BUILD) t/fuzz/run.pl
SECONDS   ?= 600
JOBS      ?= $(shell nproc)

fuzz: deps-fuzz ## fuzz each parser (SECONDS=600 each, TARGET=name, JOBS)
	$(fuzz_make)
	$(fuzz_run) --seconds $(SECONDS) --jobs $(JOBS) $(TARGET)

fuzz-merge: deps-fuzz ## keep the found inputs that reach new code
	$(fuzz_make)
	$(fuzz_run) --merge --jobs $(JOBS) $(TARGET)

fuzz-targets: $(FUZZ_BIN)

faults: deps-test ## let each call of the module fail (MINUTES=60 SEED=N ONLY=REGEXP FAULTS="unit tool server life")
	$(MAKE) $(TESTED)
	AMGR_BUILD=$(BUILD) AMGR_MODULE=$(MODULE) \
	    t/faults/run.pl --minutes $(or $(MINUTES),60) \
	    $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only '$(ONLY)') $(FAULTS)

bench: deps-bench ## measure, as ratios in one run (README=1: into the README)
	$(MAKE) all $(CORE_LIB) $(MEASURE_BIN) $(TICKS_BIN)
	ulimit -n "$$(ulimit -H -n)"; AMGR_BUILD=$(BUILD) AMGR_MODULE=$(MODULE) \
	    t/bench/run.pl $(if $(README),--readme README.md)

chaos: deps-chaos ## trouble of every kind under load (MINUTES=10 MPM=event SEED=N)
	$(MAKE) all $(LOAD_BIN) $(DECOY_BIN) $(TICKS_BIN)
	AMGR_BUILD=$(BUILD) AMGR_MODULE=$(MODULE) t/chaos/run.pl \
	    $(if $(MINUTES),--minutes $(MINUTES)) $(if $(MPM),--mpm $(MPM)) \
	    $(if $(SEED),--seed $(SEED))

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
# What every test that has a server is written with.
PERL_LIBS := libapache2-mod-perl2 libwww-perl libcpanel-json-xs-perl
DEPS_TEST := $(DEPS) libcmocka-dev $(PERL_LIBS) libssl-dev \
             openssl lynx wget python3-jsonschema valgrind chromium chromium-driver \
             fonts-dejavu-core nodejs/node npm/npm prometheus zabbix-agent \
             zabbix-agent2 python3-yaml apache2 collectd-core libcurl3-gnutls \
             liblocale-gettext-perl libmonitoring-plugin-perl monit \
             monitoring-plugins-basic monitoring-plugins-contrib \
             munin-plugins-core prometheus-apache-exporter \
             tmux mandoc man-db bash-completion redis-server apache2-utils
DEPS_FUZZ  := $(DEPS) clang libclang-rt-14-dev llvm
DEPS_BENCH := $(DEPS) $(PERL_LIBS) strace valgrind
DEPS_FLEET := $(DEPS) $(PERL_LIBS) prometheus
DEPS_DEB   := build-essential apache2-dev perl libcurl4-openssl-dev libinih-dev \
              libjansson-dev libncurses-dev libcmocka-dev debhelper lintian
DEPS_DEB_CHECK := $(DEPS_DEB) mmdebstrap iproute2 util-linux
DEPS_VALGRIND := $(DEPS) $(PERL_LIBS) apache2-utils \
                 valgrind
DEPS_ANALYZE  := clang-tidy cppcheck
DEPS_COVERAGE := clang libclang-rt-dev llvm
DEPS_CHAOS := $(DEPS) $(PERL_LIBS) libssl-dev

deps: ## install what building and running needs (root), or name it
	@t/deps.sh $(DEPS)

deps-test: ## install what testing needs (root), or name it
	@t/deps.sh $(DEPS_TEST)
	@t/deps_npm.sh $(NPM_DIR)

deps-analyze: deps
	@t/deps.sh $(DEPS_ANALYZE)

deps-coverage: deps-test
	@t/deps.sh $(DEPS_COVERAGE)

deps-fuzz:
	@t/deps.sh $(DEPS_FUZZ)

deps-chaos:
	@t/deps.sh $(DEPS_CHAOS)

deps-bench:
	@t/deps.sh $(DEPS_BENCH)

deps-valgrind:
	@t/deps.sh $(DEPS_VALGRIND)

deps-fleet:
	@t/deps.sh $(DEPS_FLEET)

deps-deb:
	@t/deps.sh $(if $(CHECK),$(DEPS_DEB_CHECK),$(DEPS_DEB))

# In a copy of the sources, with nothing of this make's in the environment.
DEB_DIR    := $(BUILD)/deb
DEB_SOURCE := $(DEB_DIR)/mod-apache-manager-$(VERSION)

deb: deps-deb ## build Debian packages in build/deb (CHECK=1: prove them)
	rm -rf $(DEB_DIR)
	conf/debian/source.sh $(DEB_SOURCE) $(VERSION)
	cd $(DEB_SOURCE) && env -i PATH="$$PATH" HOME="$$HOME" LC_ALL=C.UTF-8 \
	    DEB_BUILD_OPTIONS="$$DEB_BUILD_OPTIONS" dpkg-buildpackage -us -uc -b
	$(if $(CHECK),t/deb/run.sh $(DEB_DIR))

# The administrator's, and what the last installation brought: whether the
# former was changed since then is told by the latter.
CONF_PLACE = $(DESTDIR)$(SYSCONFDIR)/mods-available/apache_manager.conf
CONF_COPY  = $(DESTDIR)$(PREFIX)/share/doc/mod-apache-manager/apache_manager.conf

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
	@if [ ! -e "$(CONF_PLACE)" ] || \
	    cmp -s "$(CONF_PLACE)" "$(CONF_COPY)"; then \
	    install -m 0644 conf/apache_manager.conf "$(CONF_PLACE)"; \
	elif ! cmp -s "$(CONF_PLACE)" conf/apache_manager.conf; then \
	    echo "kept $(CONF_PLACE), which was changed;" \
	        "the new one is $(CONF_COPY)"; \
	fi
	install -m 0644 conf/apache_manager.conf "$(CONF_COPY)"
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
	        '$(CC) $(subst ",\\\",$(HTTPD_CPPFLAGS)) -DAMGR_FETCH_DIR=\\\"$(FETCH_DIR)\\\" $(ALL_CFLAGS)' \
        "$$f"; \
	    sep=,; done; echo ']'; } > $(BUILD)/$@

help: ## this list
	@echo "mod_apache_manager $(VERSION)"
	@sed -n 's/^\([a-z][a-z._-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
	    awk -F'|' '{ printf "%-29s %s\n", $$1, $$2 }'

clean: ## remove everything built
	rm -rf $(BUILD)

-include $(CORE_OBJ:.o=.d) $(MODULE_OBJ:.o=.d)
-include $(CLI_OBJ:.o=.d) $(FETCH_OBJ:.o=.d) $(NEXT_OBJ:.o=.d)
-include $(UNIT_BIN:=.d) $(FUZZ_BIN:=.d) $(TICKS_BIN).d

.PHONY: all always analyze bench chaos check check-unit clean \
        compile_commands.json coverage deb deps deps-analyze deps-bench \
        deps-chaos deps-coverage deps-deb deps-fleet deps-fuzz deps-test \
        deps-valgrind faults fleet fuzz fuzz-merge fuzz-targets help install \
        run sanitized test test-asan test-tsan test-valgrind tested threaded
