/* SPDX-License-Identifier: Apache-2.0
 *
 * What the setters of directives share: the one sentence of every error, the
 * places where a directive may stand, and where its value goes.
 */
#ifndef AMGR_DIRECTIVE_PARTS_H
#define AMGR_DIRECTIVE_PARTS_H

#include <apr_strings.h>

#include "httpd/config.h"

/** While a group's section is read: where the value of this directive goes in
 * it; else NULL. */
void *amgr_section_member(cmd_parms *cmd);

/** What stands behind the name of a directive that begins a section. */
static inline const char *name_end(cmd_parms *cmd)
{
    return cmd->cmd->name[0] == '<' ? ">" : "";
}

static inline const char *refuse(cmd_parms *cmd, const char *value,
                                 const char *expected)
{
    return apr_psprintf(cmd->pool, "%s%s: '%s' is not valid (expected %s)",
                        cmd->cmd->name, name_end(cmd), value, expected);
}

/** Where a directive may not stand; NULL when it may stand here. */
static inline const char *misplaced(cmd_parms *cmd)
{
    const char *why = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    return why == NULL ? NULL
                       : apr_psprintf(cmd->pool,
                                      "%s%s: belongs in the main server's "
                                      "configuration, outside any section",
                                      cmd->cmd->name, name_end(cmd));
}

/** The member of the configuration that the row's offset names, or of the
 * section that is being read. */
static inline void *member(cmd_parms *cmd)
{
    amgr_config_t *config = ap_get_module_config(cmd->server->module_config,
                                                 &apache_manager_module);
    void *own = amgr_section_member(cmd);

    return own != NULL ? own : (char *)config + (apr_size_t)cmd->info;
}

#endif
