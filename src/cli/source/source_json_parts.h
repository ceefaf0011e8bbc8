/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of status.json, each into the part of a view that it was written
 * from.  For source_json.c alone.
 *
 * Times: the server's monotonic clock is not told, so all that stands on it is
 * put on the server's wall clock, which its spans agree with.
 */
#ifndef AMGR_SOURCE_JSON_PARTS_H
#define AMGR_SOURCE_JSON_PARTS_H

#include "cli/source/json_members.h"
#include "cli/source/source_blank.h"

/** "server", but for the rates of late. */
void amgr_source_json_server(amgr_members_t *members, const json_t *from,
                             amgr_server_t *out);

/** "limits". */
void amgr_source_json_limits(amgr_members_t *members, const json_t *from,
                             amgr_limits_t *out);

/** "groups" and "processes" with their slots; the snapshot gets storage of its
 * own. */
void amgr_source_json_processes(amgr_members_t *members, const json_t *groups,
                                const json_t *processes,
                                amgr_source_blank_t *blank);

/** "managed", and of the whole "supervision". */
void amgr_source_json_managed(amgr_members_t *members, const json_t *from,
                              const json_t *root, amgr_source_blank_t *blank);

/** "kills", with their evidence. */
void amgr_source_json_records(amgr_members_t *members, const json_t *from,
                              amgr_source_blank_t *blank);

/** "history", and of "server" the rates of late. */
void amgr_source_json_history(amgr_members_t *members, const json_t *from,
                              const json_t *recent, amgr_source_blank_t *blank);

#endif
