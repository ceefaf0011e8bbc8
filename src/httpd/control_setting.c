/* SPDX-License-Identifier: Apache-2.0
 *
 * See control_setting.h.
 */
#include "httpd/control_setting.h"

#include <strings.h>

#include "httpd/directive_parts.h"
#include "httpd/directory.h"

/** Of the configuration that is being read or in force.  Sections cannot be
 * walked, so whoever sets one notes it. */
static int is_on_anywhere;

/** The configuration's pool goes, with all that it said. */
static apr_status_t forget(void *unused)
{
    (void)unused; /* a cleanup's signature */
    is_on_anywhere = 0;
    return APR_SUCCESS;
}

/* Not in <Limit>, whose methods httpd does not tell apart when it merges
 * sections, nor in .htaccess: who may write below a directory does not decide
 * whether orders are taken. */
const char *amgr_control_set(cmd_parms *cmd, void *directory, const char *value)
{
    static const char *const words[AMGR_CONTROL_COUNT] = {"", "Off", "On",
                                                          "pymanager"};
    amgr_directory_t *section = directory;
    const char *misplaced_in =
        ap_check_cmd_context(cmd, NOT_IN_LIMIT | NOT_IN_HTACCESS);
    int control = AMGR_CONTROL_OFF;

    if (misplaced_in != NULL) {
        return misplaced_in;
    }
    while (control < AMGR_CONTROL_COUNT &&
           strcasecmp(value, words[control]) != 0) {
        control++;
    }
    if (control == AMGR_CONTROL_COUNT) {
        return refuse(cmd, value, "one of Off, On, pymanager");
    }
    section->control = control;
    if (control != AMGR_CONTROL_OFF && !is_on_anywhere) {
        is_on_anywhere = 1;
        apr_pool_cleanup_register(cmd->pool, NULL, forget,
                                  apr_pool_cleanup_null);
    }
    return NULL;
}

int amgr_control_of(const request_rec *r)
{
    const amgr_directory_t *section =
        ap_get_module_config(r->per_dir_config, &apache_manager_module);

    return section == NULL || section->control == AMGR_CONTROL_UNSET
               ? AMGR_CONTROL_OFF
               : section->control;
}

int amgr_control_is_on_anywhere(void)
{
    return is_on_anywhere;
}
