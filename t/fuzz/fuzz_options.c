/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the command line of the tool, an argument to each NUL or line.
 * Checked besides memory: what is taken is in range, and a fault is one line.
 */
#include "fuzz.h"

#include "cli/message.h"
#include "cli/options/options.h"
#include "cli/options/settings_file.h"

#define ARGUMENTS_MAX 64

const amgr_fault_t *__wrap_amgr_settings_read(amgr_settings_t *settings,
                                              const char *etc, const char *home,
                                              int with_limits,
                                              apr_pool_t *pool);

/* There are no files of settings; another target reads them. */
const amgr_fault_t *__wrap_amgr_settings_read(amgr_settings_t *settings,
                                              const char *etc, const char *home,
                                              int with_limits, apr_pool_t *pool)
{
    (void)settings; /* as they are */
    (void)etc;
    (void)home;
    (void)with_limits;
    (void)pool;
    return NULL;
}

static void check_options(const amgr_options_t *options)
{
    int i;

    check(options->tasks != 0);
    check(options->max_memory_active_bytes > 0);
    check(options->max_memory_idle_bytes > 0);
    check(options->max_time_us > 0);
    check(options->hanging_us >= 0 && options->max_kills >= 0);
    check(options->interval_us > 0 && options->wait_us >= 0);
    check(options->color >= AMGR_COLOR_AUTO &&
          options->color <= AMGR_COLOR_NEVER);
    check(options->level >= AMGR_LEVEL_ERROR &&
          options->level <= AMGR_LEVEL_DEBUG);
    for (i = 0; i < options->name_count; i++) {
        check(options->names[i] != NULL);
    }
    check((options->tasks & AMGR_TASK_ORDER) == 0 ||
          (options->verb != NULL && options->name_count > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    char *text = fuzz_text(data, size);
    const char *argv[ARGUMENTS_MAX + 1] = {"apache-manager"};
    const amgr_fault_t *fault;
    amgr_options_t options;
    char *at = text;
    int argc = 1;

    while (at < text + size && argc < ARGUMENTS_MAX) {
        char *end = at + strcspn(at, "\n");

        *end = '\0';
        argv[argc++] = at;
        at = end + 1;
    }
    amgr_message_hold(1);
    memset(&options, 0, sizeof(options));
    fault = amgr_options_read(&options, argc, argv, pool);
    if (fault != NULL) {
        check(fault->exit_code != AMGR_EXIT_OK);
        check_line_text(fault->text);
    }
    else if ((options.tasks & (AMGR_TASK_HELP | AMGR_TASK_VERSION)) == 0) {
        check_options(&options);
    }
    free(text);
    apr_pool_destroy(pool);
    return 0;
}
