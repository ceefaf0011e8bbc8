/* SPDX-License-Identifier: Apache-2.0
 *
 * The WSGI groups that the configuration names, and the titles by which their
 * daemons are known.  mod_wsgi writes display-name over argv[0], cut or filled
 * up with blanks to the length argv[0] had, so two names may end up as one
 * title; such groups are shown as one, named by both.
 */
#ifndef AMGR_WSGI_H
#define AMGR_WSGI_H

#include <httpd.h>

#include "policy/limits.h"

typedef struct amgr_wsgi_group_t {
    char title[AMGR_GROUP_NAME_LEN]; /**< as it appears, cut */
    char name[AMGR_GROUP_NAME_LEN];  /**< as it is shown */
    int named; /**< it is; else its daemons are shown among others */
} amgr_wsgi_group_t;

typedef struct amgr_wsgi_t {
    amgr_wsgi_group_t *groups;
    int count;
} amgr_wsgi_t;

/** Read the configured groups from the configuration tree, at post_config;
 * @a title_len is the length of the parent's argv[0]. */
void amgr_wsgi_configure(amgr_wsgi_t *wsgi, apr_size_t title_len,
                         apr_pool_t *pconf);

/** Warn of sections for groups that no daemon can be of. */
void amgr_wsgi_check_sections(server_rec *s, const amgr_wsgi_t *wsgi,
                              const amgr_limits_t *limits);

/** Choose which groups are shown by name, so that it is the same ones at every
 * tick: those with limits of their own first, then in the order of the
 * configuration. */
void amgr_wsgi_choose(amgr_wsgi_t *wsgi, const amgr_limits_t *limits);

/** The group a daemon of this title belongs to, or NULL. */
const amgr_wsgi_group_t *amgr_wsgi_find(const amgr_wsgi_t *wsgi,
                                        const char *title);

#endif
