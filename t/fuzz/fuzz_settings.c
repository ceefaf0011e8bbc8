/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a file of settings.  Checked besides memory: what is set is in
 * range, and a fault is one line that names the file and commands no terminal.
 */
#include "fuzz.h"

#include "cli/message.h"
#include "cli/options/settings_file.h"

static void check_settings(const amgr_settings_t *settings)
{
    check(settings->max_memory_active_bytes == AMGR_LIMIT_OFF ||
          settings->max_memory_active_bytes > 0);
    check(settings->max_memory_idle_bytes == AMGR_LIMIT_OFF ||
          settings->max_memory_idle_bytes > 0);
    check(settings->max_time_us == AMGR_LIMIT_OFF || settings->max_time_us > 0);
    check(settings->hanging_us >= 0 && settings->max_kills >= 0);
}

static void check_fault(const amgr_fault_t *fault)
{
    const char *text;

    if (fault == NULL) {
        return;
    }
    check(fault->exit_code == AMGR_EXIT_USAGE);
    check(strncmp(fault->text, "fuzz.ini:", 9) == 0);
    for (text = fault->text; *text != '\0'; text++) {
        check((unsigned char)*text >= 0x20 && *text != 0x7F);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    amgr_settings_t settings;
    apr_pool_t *pool = fuzz_pool();
    char *text = fuzz_text(data, size);

    amgr_message_hold(1);
    amgr_settings_init(&settings);
    check_fault(amgr_settings_parse(&settings, "fuzz.ini", text, pool));
    check_settings(&settings);
    apr_pool_destroy(pool);
    free(text);
    return 0;
}
