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
    const char *address; /**< to connect to, without brackets: 127.0.0.1 for
                              any, ::1 for any of IPv6 alone; a name where the
                              line has one; with its %scope */
    apr_uint16_t port;
    int tls; /**< https: said so, port 443, or a virtual host has SSLEngine */
    const char *file; /**< that has the line; NULL: none has */
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
                                       followed, escaped */
    apr_array_header_t *bad_listens; /**< the same, of Listen alone */
    int data_file_off;               /**< ManagerDataFile Off */
} amgr_apache_config_t;

/**
 * Read the configuration of this machine's Apache into @a out, from @a pool.
 * @a file is the main one; NULL: apache2.conf or httpd.conf in $APACHE_CONFDIR
 * when that is set, since whoever sets it means that server, else in the first
 * of the places where distributions have it.  NULL on success; a fault says
 * what was looked for, or what could not be read.  Nothing that the files say
 * is run, and how much is read has an end; what is left out is a warning.
 */
const amgr_fault_t *amgr_apache_config_read(const char *file,
                                            amgr_apache_config_t *out,
                                            apr_pool_t *pool);

#endif
