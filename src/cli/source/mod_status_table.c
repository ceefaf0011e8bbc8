/* SPDX-License-Identifier: Apache-2.0
 *
 * See mod_status_table.h.
 */
#include "cli/source/mod_status_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "cli/source/html_rows.h"

/** A pid of Linux is below. */
#define PID_MAX (4 * 1024 * 1024)

#define ROW_MAX 1000000

#define NUMBER_LEN 32

/** No span or amount of one worker is above; so many megabytes are counted in
 * 64 bits. */
#define NUMBER_MAX 1e12

typedef enum column_e {
    COLUMN_SRV = 0,
    COLUMN_PID,
    COLUMN_ACC,
    COLUMN_M,
    COLUMN_SS,
    COLUMN_REQ,
    COLUMN_CONN,
    COLUMN_CHILD,
    COLUMN_SLOT,
    COLUMN_CLIENT,
    COLUMN_VHOST,
    COLUMN_REQUEST,
    COLUMN_REQUIRED, /**< as many; the rest are of some versions */
    COLUMN_CPU = COLUMN_REQUIRED,
    COLUMN_DUR,
    COLUMN_PROTOCOL,
    COLUMN_COUNT
} column_e;

static const char *const titles[COLUMN_COUNT] = {
    [COLUMN_SRV] = "Srv",
    [COLUMN_PID] = "PID",
    [COLUMN_ACC] = "Acc",
    [COLUMN_M] = "M",
    [COLUMN_SS] = "SS",
    [COLUMN_REQ] = "Req",
    [COLUMN_CONN] = "Conn",
    [COLUMN_CHILD] = "Child",
    [COLUMN_SLOT] = "Slot",
    [COLUMN_CLIENT] = "Client",
    [COLUMN_VHOST] = "VHost",
    [COLUMN_REQUEST] = "Request",
    [COLUMN_CPU] = "CPU",
    [COLUMN_DUR] = "Dur",
    [COLUMN_PROTOCOL] = "Protocol",
};

/** Which cell of a row each column is; -1: none. */
typedef struct columns_t {
    int table; /**< 0: no table of workers yet */
    int cells;
    int index[COLUMN_COUNT];
} columns_t;

/* Take a row of titles, if it is one of workers. */
static void take_titles(const amgr_html_row_t *row, columns_t *out)
{
    columns_t columns;
    int column;
    int i;

    columns.table = row->table;
    columns.cells = row->count;
    for (column = 0; column < COLUMN_COUNT; column++) {
        columns.index[column] = -1;
        for (i = 0; i < row->count; i++) {
            if (strcasecmp(row->cells[i], titles[column]) == 0) {
                columns.index[column] = i;
                break;
            }
        }
        if (column < COLUMN_REQUIRED && columns.index[column] < 0) {
            return;
        }
    }
    *out = columns;
}

static const char *cell(const amgr_html_row_t *row, const columns_t *columns,
                        column_e column)
{
    int index = columns->index[column];

    return index < 0 ? "" : row->cells[index];
}

/* A number at the beginning of @a *at that @a end ends; -1 for none. */
static double take_number(const char **at, char end)
{
    char digits[NUMBER_LEN];
    apr_size_t len = strspn(*at, "0123456789.");
    double number;
    char *rest;

    if (len == 0 || len >= sizeof(digits) || (*at)[len] != end) {
        return -1.0;
    }
    memcpy(digits, *at, len);
    digits[len] = '\0';
    *at += len + (end != '\0');
    number = strtod(digits, &rest);
    return *rest != '\0' || number > NUMBER_MAX ? -1.0 : number;
}

static double number_of(const amgr_html_row_t *row, const columns_t *columns,
                        column_e column)
{
    const char *at = cell(row, columns, column);

    return take_number(&at, '\0');
}

/* An amount in a unit of bytes; what cannot be read is none. */
static apr_uint64_t bytes_of(const amgr_html_row_t *row,
                             const columns_t *columns, column_e column,
                             double unit)
{
    double number = number_of(row, columns, column) * unit;

    return number > 0 ? (apr_uint64_t)(number + 0.5) : 0;
}

static apr_uint64_t count_of(double number)
{
    return number > 0 ? (apr_uint64_t)number : 0;
}

/* "3-0": the row of the scoreboard and the generation. */
static int read_place(const char *text, amgr_mod_status_row_t *out)
{
    double row = take_number(&text, '-');
    double generation = take_number(&text, '\0');

    if (row < 0 || row > ROW_MAX) {
        return 0;
    }
    out->slot.process_slot = (int)row;
    out->generation =
        generation < 0 || generation > APR_INT32_MAX ? -1 : (int)generation;
    return 1;
}

static int read_mode(const char *text, amgr_slot_t *out)
{
    out->mode = 0;
    while (out->mode < AMGR_MODE_COUNT &&
           amgr_mode_letter(out->mode) != text[0]) {
        out->mode++;
    }
    return text[0] != '\0' && text[1] == '\0' &&
           text[0] == amgr_mode_letter(out->mode);
}

/* Start and end such that the figures that were told follow from them. */
static void read_times(const amgr_html_row_t *row, const columns_t *columns,
                       apr_time_t now_us, amgr_mod_status_row_t *out)
{
    double since = number_of(row, columns, COLUMN_SS);
    double req_ms = number_of(row, columns, COLUMN_REQ);
    double dur_ms = number_of(row, columns, COLUMN_DUR);
    amgr_slot_t *slot = &out->slot;

    out->since_us = AMGR_NO_TIME;
    slot->request_age_us = AMGR_NO_TIME;
    slot->max_time_us = AMGR_LIMIT_OFF;
    if (since >= 0 && since < (double)apr_time_sec(now_us)) {
        out->since_us = apr_time_from_sec((apr_time_t)since);
        slot->last_used_us = now_us - out->since_us;
        slot->start_time_us = slot->last_used_us;
        slot->stop_time_us = slot->start_time_us;
    }
    if (req_ms > 0) {
        slot->stop_time_us += (apr_time_t)req_ms * 1000;
    }
    if (dur_ms > 0) {
        slot->duration_us = (apr_interval_time_t)dur_ms * 1000;
    }
}

static void copy_text(char *to, apr_size_t size, const char *from)
{
    apr_size_t len = strlen(from);

    if (len >= size) {
        len = size - 1;
    }
    memcpy(to, from, len);
    to[len] = '\0';
}

/* 1: a worker; 0: a row of no process; -1: it cannot be read. */
static int read_row(const amgr_html_row_t *row, const columns_t *columns,
                    apr_time_t now_us, amgr_mod_status_row_t *out)
{
    const char *acc = cell(row, columns, COLUMN_ACC);
    double pid = number_of(row, columns, COLUMN_PID);
    amgr_slot_t *slot = &out->slot;
    double cpu = number_of(row, columns, COLUMN_CPU);
    double conn_count;

    memset(out, 0, sizeof(*out));
    if (strcmp(cell(row, columns, COLUMN_PID), "-") == 0) {
        return 0;
    }
    if (pid < 1 || pid > PID_MAX || floor(pid) != pid ||
        !read_place(cell(row, columns, COLUMN_SRV), out) ||
        !read_mode(cell(row, columns, COLUMN_M), slot)) {
        return -1;
    }
    out->pid = (pid_t)pid;
    read_times(row, columns, now_us, out);
    conn_count = take_number(&acc, '/');
    slot->conn_count = conn_count > 0 && conn_count < APR_UINT32_MAX
                           ? (apr_uint32_t)conn_count
                           : 0;
    slot->child_accesses = count_of(take_number(&acc, '/'));
    slot->accesses = count_of(take_number(&acc, '\0'));
    slot->conn_bytes = bytes_of(row, columns, COLUMN_CONN, 1024);
    slot->child_bytes = bytes_of(row, columns, COLUMN_CHILD, 1024 * 1024);
    slot->bytes = bytes_of(row, columns, COLUMN_SLOT, 1024 * 1024);
    if (cpu > 0) {
        slot->cpu_ticks = (apr_uint64_t)(cpu * APR_USEC_PER_SEC /
                                         (double)amgr_proc_ticks_us(1));
    }
    copy_text(slot->client, sizeof(slot->client),
              cell(row, columns, COLUMN_CLIENT));
    copy_text(slot->vhost, sizeof(slot->vhost),
              cell(row, columns, COLUMN_VHOST));
    copy_text(slot->protocol, sizeof(slot->protocol),
              cell(row, columns, COLUMN_PROTOCOL));
    copy_text(slot->request, sizeof(slot->request),
              cell(row, columns, COLUMN_REQUEST));
    return 1;
}

/* The order of the page within a process, which its place tells. */
static int compare_rows(const void *a, const void *b)
{
    const amgr_mod_status_row_t *left = a;
    const amgr_mod_status_row_t *right = b;

    if (left->pid != right->pid) {
        return left->pid < right->pid ? -1 : 1;
    }
    if (left->slot.process_slot != right->slot.process_slot) {
        return left->slot.process_slot < right->slot.process_slot ? -1 : 1;
    }
    return left->slot.thread < right->slot.thread
               ? -1
               : left->slot.thread > right->slot.thread;
}

apr_array_header_t *amgr_mod_status_table_read(const char *html,
                                               apr_time_t now_us,
                                               int *out_incomplete,
                                               apr_pool_t *pool)
{
    apr_array_header_t *out =
        apr_array_make(pool, 64, sizeof(amgr_mod_status_row_t));
    amgr_html_rows_t rows = {html, 0};
    columns_t columns = {0, 0, {0}};
    amgr_html_row_t *row = apr_palloc(pool, sizeof(*row));

    *out_incomplete = 0;
    while (amgr_html_rows_next(&rows, row)) {
        amgr_mod_status_row_t worker;
        int result;

        if (columns.table == 0) {
            take_titles(row, &columns);
            continue;
        }
        if (row->table != columns.table) {
            break;
        }
        result = row->count < columns.cells
                     ? -1
                     : read_row(row, &columns, now_us, &worker);
        if (result > 0 && out->nelts < AMGR_STATUS_ROWS_MAX) {
            worker.slot.thread = out->nelts;
            APR_ARRAY_PUSH(out, amgr_mod_status_row_t) = worker;
        }
        else if (result != 0) {
            *out_incomplete = 1;
        }
    }
    qsort(out->elts, (size_t)out->nelts, sizeof(amgr_mod_status_row_t),
          compare_rows);
    return columns.table == 0 ? NULL : out;
}
