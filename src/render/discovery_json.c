/* SPDX-License-Identifier: Apache-2.0
 *
 * Zabbix's low-level discovery: the groups of the metrics file by the names
 * that stand in it, so that every item made of one finds its figures.
 */
#include "render/metrics_txt.h"

#include <string.h>

#include "render/json.h"

#define NAME_MACRO "{#NAME}"

static void put_name(amgr_json_t *json, const char *column)
{
    amgr_json_begin_object(json);
    amgr_json_key(json, NAME_MACRO);
    amgr_json_string(json, column);
    amgr_json_end_object(json);
}

/* Whether one of the groups before the one at @a index has the same column:
 * names may differ in what a column does not show, and Zabbix refuses a
 * second item of the same key. */
static int is_repeated(const amgr_snapshot_t *snapshot, const int *order,
                       int index, const char *column)
{
    char other[AMGR_GROUP_NAME_LEN];
    int i;

    if (strcmp(column, AMGR_METRICS_NATIVE) == 0) {
        return 1;
    }
    for (i = 0; i < index; i++) {
        amgr_metrics_column(snapshot->groups[order[i]].name, other);
        if (strcmp(column, other) == 0) {
            return 1;
        }
    }
    return 0;
}

void amgr_write_discovery_json(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    char column[AMGR_GROUP_NAME_LEN];
    int order[AMGR_GROUPS_MAX];
    amgr_json_t json;
    int count = amgr_metrics_groups(snapshot, order);
    int i;

    amgr_json_init(&json, sink);
    amgr_json_begin_object(&json);
    amgr_json_key(&json, "data");
    amgr_json_begin_array(&json);
    put_name(&json, AMGR_METRICS_NATIVE);
    for (i = 0; i < count; i++) {
        amgr_metrics_column(snapshot->groups[order[i]].name, column);
        if (!is_repeated(snapshot, order, i, column)) {
            put_name(&json, column);
        }
    }
    amgr_json_end_array(&json);
    amgr_json_end_object(&json);
    amgr_sink_putc(sink, '\n');
}
