/* SPDX-License-Identifier: Apache-2.0
 *
 * Directives whose values are files and programs: their setters, which
 * directives.c has in its table.
 */
#ifndef AMGR_DIRECTIVES_PATHS_H
#define AMGR_DIRECTIVES_PATHS_H

#include <httpd.h>
#include <http_config.h>

/** The words of a line as a list that ends in NULL; *out_count without that. */
char **amgr_directive_words(apr_pool_t *pool, const char *args, int *out_count);

/* Setters, as a command table calls them. */
const char *amgr_set_data_file(cmd_parms *cmd, void *unused, const char *value);
const char *amgr_set_socket(cmd_parms *cmd, void *unused, const char *value);
const char *amgr_set_kill_command(cmd_parms *cmd, void *unused,
                                  const char *args);

#endif
