/* SPDX-License-Identifier: Apache-2.0
 *
 * <ManagedProcess NAME>: from httpd's configuration to specifications.  What
 * may stand in a section is said by supervise/spec/spec.h; it is no directive
 * of httpd itself, so that names which the core has too, such as User and
 * Limit, do not clash.
 */
#ifndef AMGR_MANAGED_SECTION_H
#define AMGR_MANAGED_SECTION_H

#include <httpd.h>
#include <http_config.h>

/** The setter of the section. */
const char *amgr_set_managed(cmd_parms *cmd, void *unused, const char *args);

/** The hook, when all is read, also by `httpd -t`: what can only be told of
 * all sections together. */
int amgr_hook_check_config(apr_pool_t *pconf, apr_pool_t *plog,
                           apr_pool_t *ptemp, server_rec *s);

/** The hook of `httpd -t`: with -DDUMP_MANAGED, the effective configuration of
 * managed processes on standard output. */
void amgr_hook_test_config(apr_pool_t *pconf, server_rec *s);

#endif
