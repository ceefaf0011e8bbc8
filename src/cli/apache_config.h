/* SPDX-License-Identifier: Apache-2.0
 *
 * What Apache's configuration says of where a server listens and where its
 * status is: read as httpd reads it, as far as it takes for that.  Include and
 * IncludeOptional, Define and ${NAME} (with the environment file of Debian),
 * IfDefine, IfModule and IfVersion are followed.
 */
#ifndef AMGR_APACHE_CONFIG_H
#define AMGR_APACHE_CONFIG_H

#include <apr_tables.h>

#include "cli/fault.h"

/** One Listen line. */
typedef struct amgr_listen_t {
    const char *address; /**< an address to connect to: 127.0.0.1 for any */
    apr_uint16_t port;
    int tls; /**< https: said so, or port 443 */
} amgr_listen_t;

typedef struct amgr_apache_config_t {
    const char *file;             /**< the main one that was found */
    const char *pid_file;         /**< absolute, or NULL */
    const char *runtime_dir;      /**< absolute, or NULL */
    const char *data_file;        /**< ManagerDataFile, absolute, or NULL */
    const char *manager_path;     /**< of a <Location> with the handler
                                    manager-status, or NULL */
    const char *status_path;      /**< the same of server-status, or NULL */
    apr_array_header_t *listens;  /**< of amgr_listen_t, in their order */
    apr_array_header_t *warnings; /**< of const char *: lines that could not be
                                       followed */
} amgr_apache_config_t;

/**
 * Read the configuration of this machine's Apache.  @a file is the main one;
 * NULL: $APACHE_CONFDIR/apache2.conf, then the places where distributions have
 * it.  A fault says which were looked for.
 */
const amgr_fault_t *amgr_apache_config_read(const char *file,
                                            amgr_apache_config_t *out,
                                            apr_pool_t *pool);

#endif
