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

CFLAGS ?= -O2 -g
WARN   := -Wall -Wextra -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
          -Wshadow -Wvla -Wwrite-strings -Wpointer-arith -Wconversion -Wundef \
          -Wimplicit-fallthrough -Wdeclaration-after-statement
APR_INCLUDE   = $(shell apr-1-config --includes 2>/dev/null)
APR_CPPFLAGS  = $(shell apr-1-config --cppflags 2>/dev/null)
HTTPD_INCLUDE = $(shell $(APXS) -q INCLUDEDIR 2>/dev/null)
LIBEXECDIR    = $(shell $(APXS) -q LIBEXECDIR 2>/dev/null)
SYSCONFDIR    = $(shell $(APXS) -q SYSCONFDIR 2>/dev/null)

ALL_CFLAGS  = -std=gnu11 -fPIC -fvisibility=hidden -fno-strict-aliasing \
              $(WARN) $(WERROR) $(CFLAGS) $(SANITIZE)
CORE_CPPFLAGS  = -Isrc -I$(BUILD)/gen $(patsubst -I%,-isystem %,$(APR_INCLUDE)) $(APR_CPPFLAGS)
HTTPD_CPPFLAGS = $(CORE_CPPFLAGS) -isystem $(HTTPD_INCLUDE)

# base to render know nothing of httpd: one archive for module, tool and tests.
CORE_LAYERS := base proc model policy action render
CORE_SRC    := $(sort $(foreach l,$(CORE_LAYERS),$(wildcard src/$(l)/*.c)))
CORE_OBJ    := $(CORE_SRC:%.c=$(BUILD)/%.o)
MODULE_SRC  := mod_apache_manager.c $(sort $(wildcard src/httpd/*.c))
MODULE_OBJ  := $(MODULE_SRC:%.c=$(BUILD)/%.o)
CORE_LIB    := $(BUILD)/libamgr.a
MODULE      := $(BUILD)/mod_apache_manager.so
UNIT_SRC    := $(sort $(wildcard t/unit/*_test.c))
UNIT_BIN    := $(UNIT_SRC:t/unit/%.c=$(BUILD)/unit/%)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

all: $(MODULE) ## build the module (the default)

$(BUILD)/src/httpd/%.o: src/httpd/%.c
	@mkdir -p $(@D)
	$(CC) $(HTTPD_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/mod_apache_manager.o: mod_apache_manager.c
	@mkdir -p $(@D)
	$(CC) $(HTTPD_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/src/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(CORE_LIB): $(CORE_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(MODULE): $(MODULE_OBJ) $(CORE_LIB) conf/exports.map
	$(CC) -shared -Wl,--version-script=conf/exports.map -Wl,-z,relro,-z,now \
	    $(SANITIZE) $(LDFLAGS) -o $@ $(MODULE_OBJ) $(CORE_LIB)

$(BUILD)/unit/%: t/unit/%.c $(CORE_LIB)
	@mkdir -p $(@D)
	$(CC) $(CORE_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(CORE_LIB) \
	    $(LDFLAGS) $$(apr-1-config --link-ld --libs) -lcmocka -lm

unit: $(UNIT_BIN) ## build the unit tests

check-unit: $(UNIT_BIN) ## run the unit tests alone
	@for t in $(UNIT_BIN); do CMOCKA_MESSAGE_OUTPUT=TAP $$t || exit 1; done

help: ## this list
	@echo "mod_apache_manager $(VERSION)"
	@sed -n 's/^\([a-z][a-z.-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
	    awk -F'|' '{ printf "%-26s %s\n", $$1, $$2 }'

clean: ## remove everything built
	rm -rf $(BUILD)

-include $(CORE_OBJ:.o=.d) $(MODULE_OBJ:.o=.d) $(UNIT_BIN:=.d)

.PHONY: all unit check-unit help clean
