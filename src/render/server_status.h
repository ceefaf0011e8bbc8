/* SPDX-License-Identifier: Apache-2.0
 *
 * What this module adds to mod_status's own page.  That page may be open to
 * more people than ours and has another character set: nothing here names a
 * process, a client or a request, and every byte is ASCII.
 */
#ifndef AMGR_SERVER_STATUS_H
#define AMGR_SERVER_STATUS_H

#include "render/view.h"

/**
 * The section as HTML, of the verdict, the groups and the last retirement.
 * @a page_path is where the full page is, as it stands in an address, or NULL
 * when that is not known; without @a with_tables the groups are a list.  The
 * view needs no slots, and the newest record alone.
 */
void amgr_write_server_status_html(const amgr_view_t *view,
                                   const char *page_path, int with_tables,
                                   amgr_sink_t *sink);

/**
 * The same for programs: lines "ApacheManagerKey: number", each key once.
 * What is not known has no line.
 */
void amgr_write_server_status_auto(const amgr_view_t *view, amgr_sink_t *sink);

/** What is the matter (amgr_health_e) as a number, 0 healthy to 3 not working
 * as it should: kinds of health come and go, and who sets a threshold wants
 * numbers that stay. */
apr_uint64_t amgr_server_status_severity(int health);

#endif
