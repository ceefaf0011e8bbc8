/* SPDX-License-Identifier: Apache-2.0
 *
 * Managed processes as pymanager's HTTP service tells them, for clients that
 * were written for it: {"id":1,"command":"...","status":"running","pid":123},
 * or "terminated" and "code".  Of a command only the program is told, since
 * its arguments may hold what nobody shall see.
 */
#ifndef AMGR_PYMANAGER_JSON_H
#define AMGR_PYMANAGER_JSON_H

#include "base/sink.h"
#include "model/managed.h"

/** {"count":N,"processes":[...]} */
void amgr_pymanager_write_list(const amgr_managed_table_t *table,
                               amgr_sink_t *sink);

/** {"status":"running"}, in its words; @a table without a supervisor, or
 * without processes, is a state as well. */
void amgr_pymanager_write_status(const amgr_managed_table_t *table,
                                 amgr_sink_t *sink);

/** {"success":true,"process":{...}}; without one, @a process NULL:
 * {"success":true}. */
void amgr_pymanager_write_success(const amgr_managed_t *process,
                                  amgr_sink_t *sink);

/** {"success":false,"error":{"message":"..."}} */
void amgr_pymanager_write_failure(const char *message, amgr_sink_t *sink);

/** The id in an address, as Python's int() reads it but for underscores and
 * what is not ASCII: 1 it is one, and *out_id may be any number; 0 it is not
 * one. */
int amgr_pymanager_parse_id(const char *text, apr_int64_t *out_id);

#endif
