/* SPDX-License-Identifier: Apache-2.0
 *
 * A board that somebody has written over: the input says where and with what.
 * It is read out of its file as the tool does, and where it lies as a page
 * does, and shown in every format; and what it has is carried to a new one.
 * Checked besides memory: no text leaves its place, JSON is JSON, and what is
 * no board is told from one.
 */
#include "board_template.h"

#include <locale.h>

#include <jansson.h>

#include "cli/report.h"
#include "cli/source/source_parts.h"
#include "cli/watch/canvas_print.h"
#include "cli/watch/watch_text.h"
#include "render/pymanager_json.h"
#include "render/view_board.h"

/** From here on what is shown is the tool's. */
#define WRITERS 18

void __wrap_apr_sleep(apr_interval_time_t span_us);
amgr_local_board_e
__wrap_amgr_local_server_board(const amgr_local_server_t *server, int parts,
                               amgr_local_board_t *out, apr_pool_t *pool);

/* Whoever waits for a writer waits for nobody. */
void __wrap_apr_sleep(apr_interval_time_t span_us)
{
    (void)span_us;
}

amgr_local_board_e
__wrap_amgr_local_server_board(const amgr_local_server_t *server, int parts,
                               amgr_local_board_t *out, apr_pool_t *pool)
{
    memset(out, 0, sizeof(*out));
    out->parent = server->parent;
    return amgr_board_copy(board_fd, parts, &out->board, pool) == APR_SUCCESS
               ? AMGR_LOCAL_BOARD_READ
               : AMGR_LOCAL_BOARD_BROKEN;
}

/** Parts of a board, as far as they are used. */
typedef struct region_t {
    apr_uint64_t at;
    apr_uint64_t size;
} region_t;

static region_t region_of(const amgr_board_t *sound, int index)
{
    const region_t regions[] = {
        {0, sizeof(*sound)},
        {sound->at.config, sizeof(amgr_board_config_region_t)},
        {sound->at.counters, sizeof(amgr_counters_t)},
        {sound->at.records,
         offsetof(amgr_board_records_t, records) + 4 * sizeof(amgr_record_t)},
        {sound->at.tick,
         offsetof(amgr_board_tick_t, groups) + 2 * sizeof(amgr_group_t)},
        {sound->at.processes, 4 * sizeof(amgr_process_t)},
        {sound->at.slots, 8 * sizeof(amgr_slot_t)},
        {sound->at.evidences, offsetof(amgr_board_evidences_t, evidences) +
                                  4 * sizeof(amgr_evidence_t)},
        {sound->at.history,
         sizeof(amgr_board_history_t) - 700 * sizeof(amgr_history_sample_t)},
        {sound->managed_at, offsetof(amgr_board_managed_t, table.processes) +
                                3 * sizeof(amgr_managed_t)},
    };

    return regions[index % (int)AMGR_COUNT(regions)];
}

/* One place, in one of the ways that matter: bytes, a word, a text without
 * end. */
static void write_over(const amgr_board_t *sound, fuzz_t *in)
{
    static const apr_uint64_t words[] = {
        0,
        1,
        APR_UINT64_MAX,
        APR_INT64_MAX,
        APR_UINT64_C(1) << 63,
        APR_INT32_MAX,
        APR_UINT64_C(0x80000000),
        APR_UINT64_C(0x7fefffffffffffff),  /* the largest double */
        APR_UINT64_C(0x7ff8000000000000),  /* not a number */
        APR_UINT64_C(0xfff0000000000000)}; /* minus infinity */
    region_t region = region_of(sound, (int)fuzz_bits(in, 1));
    apr_uint64_t offset = fuzz_bits(in, 2) * 4 % region.size;
    int way = fuzz_below(in, 8);
    unsigned char bytes[96];
    apr_uint64_t word;
    apr_uint64_t len = 8;

    if (way < 4) {
        word = way == 0 ? fuzz_bits(in, 8)
                        : words[fuzz_below(in, (int)AMGR_COUNT(words))];
        len = way == 3 ? 4 : 8;
        memcpy(bytes, &word, sizeof(word));
    }
    else if (way < 6) {
        len = 1 + (apr_uint64_t)fuzz_below(in, 16);
        fuzz_bytes(in, bytes, len);
    }
    else {
        len = sizeof(bytes);
        memset(bytes, way == 6 ? '<' : 0xe2, sizeof(bytes));
    }
    if (len > region.size - offset) {
        len = region.size - offset;
    }
    memcpy((char *)board + region.at + offset, bytes, len);
}

/* As if each writer had come to its end. */
static void end_writes(const amgr_board_t *sound)
{
    const apr_uint64_t places[] = {
        sound->at.config,
        sound->at.config + offsetof(amgr_board_config_region_t, about_seq),
        sound->at.records,
        sound->at.tick,
        sound->at.evidences,
        sound->at.history,
        sound->managed_at};
    size_t i;

    for (i = 0; i < AMGR_COUNT(places); i++) {
        apr_uint64_t *seq = amgr_board_at_rw(board, places[i]);

        *seq = (*seq | 2) & ~APR_UINT64_C(1);
    }
}

static fuzz_output_t render(void (*writer)(const amgr_view_t *, amgr_sink_t *),
                            const amgr_view_t *view)
{
    fuzz_output_t output = {NULL, 0};
    amgr_sink_t sink;
    char buf[4096];

    amgr_sink_init(&sink, buf, sizeof(buf), fuzz_append, &output);
    writer(view, &sink);
    check(amgr_sink_finish(&sink) == APR_SUCCESS);
    check(strlen(output.data) == output.len);
    return output;
}

static void check_clean(const fuzz_output_t *output)
{
    check_utf8(output->data);
    check(strpbrk(output->data, "\x1b\x7f\x01\x02\r") == NULL);
}

static void check_json(const fuzz_output_t *output)
{
    json_t *json =
        json_loadb(output->data, output->len, JSON_DECODE_INT_AS_REAL, NULL);

    check(json != NULL);
    check(strpbrk(output->data, "<>&") == NULL);
    json_decref(json);
}

/* Every line is a comment, or a name, a blank and a number. */
static void check_metrics(const fuzz_output_t *output)
{
    const char *line;
    char *end;

    for (line = output->data; *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *newline = strchr(line, '\n');
        const char *blank;

        check(newline != NULL);
        if (line[0] == '#') {
            continue;
        }
        blank = memrchr(line, ' ', (size_t)(newline - line));
        check(blank != NULL && blank > line);
        (void)strtod(blank + 1, &end);
        check(end == newline);
    }
}

static void check_page(const fuzz_output_t *output)
{
    check(strstr(output->data, "<x") == NULL);
    check(strstr(output->data, "<<") == NULL);
}

/* One of the formats: all of them are much to write. */
static void check_format(const amgr_view_t *view, int which)
{
    static const struct {
        void (*writer)(const amgr_view_t *, amgr_sink_t *);
        void (*judge)(const fuzz_output_t *);
    } formats[] = {
        {amgr_write_page, check_page},
        {amgr_write_status_json, check_json},
        {amgr_write_metrics, check_metrics},
        {amgr_write_openmetrics, check_metrics},
        {amgr_write_processes_json, check_json},
        {amgr_write_discovery_json, check_json},
        {amgr_write_ready_json, check_json},
        {amgr_write_metrics_txt, check_clean},
        {amgr_write_auto, NULL}, /* shows what httpd calls itself, as it is */
    };
    size_t i = (size_t)which % AMGR_COUNT(formats);
    fuzz_output_t output = render(formats[i].writer, view);

    if (formats[i].judge != NULL) {
        check_clean(&output);
        formats[i].judge(&output);
    }
    free(output.data);
}

/* What the tool shows on a terminal of any size. */
static void check_watch(const amgr_source_t *source, fuzz_t *in,
                        apr_pool_t *pool)
{
    fuzz_output_t output = {NULL, 0};
    amgr_watch_picture_t picture;
    amgr_watch_state_t state;
    amgr_watch_rows_t rows;
    amgr_canvas_t *canvas;
    amgr_sink_t sink;
    char buf[512];

    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* or what is there */
    amgr_watch_state_init(&state, APR_USEC_PER_SEC);
    state.table = fuzz_below(in, AMGR_WATCH_TABLE_COUNT);
    state.sort[0] = fuzz_below(in, AMGR_WATCH_SORT_COUNT);
    state.sort[1] = fuzz_below(in, AMGR_WATCH_SORT_COUNT);
    state.busy_only = fuzz_below(in, 2);
    state.scroll = fuzz_below(in, 20);
    state.help = fuzz_below(in, 8) == 0;
    memset(&picture, 0, sizeof(picture));
    picture.source = source;
    picture.state = &state;
    picture.rows = &rows;
    picture.once = fuzz_below(in, 2);
    canvas = amgr_canvas_create(1 + fuzz_below(in, 256),
                                AMGR_WATCH_MIN_ROWS + fuzz_below(in, 60),
                                fuzz_below(in, 2), pool);
    fuzz_bytes(in, state.filter, 4);
    amgr_watch_rows(&source->view, &state, &rows, pool);
    check(amgr_watch_draw(&picture, canvas) >= 0);
    amgr_sink_init(&sink, buf, sizeof(buf), fuzz_append, &output);
    amgr_canvas_print(canvas, 0, &sink);
    amgr_report_write(source, 0, &sink);
    check(amgr_sink_finish(&sink) == APR_SUCCESS);
    check_clean(&output);
    free(output.data);
}

static void check_records(const amgr_view_t *view)
{
    char line[AMGR_RECORD_LINE_LEN];
    amgr_sink_t sink;
    int i;

    for (i = 0; i < view->record_count; i++) {
        amgr_sink_init_text(&sink, line, sizeof(line));
        amgr_record_format(&view->records[i], AMGR_SHOW_FULL, &sink);
        check_line_text(amgr_sink_text(&sink));
        amgr_sink_init_text(&sink, line, sizeof(line));
        amgr_record_format_end(&view->records[i], &sink);
        check_line_text(amgr_sink_text(&sink));
    }
}

static void check_source(amgr_source_t *source, int which, fuzz_t *in,
                         apr_pool_t *pool)
{
    amgr_view_t *view = &source->view;
    const amgr_snapshot_t *snapshot = view->snapshot;
    char args[32];
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        check(process->group >= 0 && process->group < snapshot->group_count);
        check(process->slot_count == 0 || process->first_slot >= 0);
    }
    fuzz_bytes(in, args, sizeof(args) - 1);
    args[sizeof(args) - 1] = '\0';
    amgr_page_query_parse(args, &view->query);
    view->base_path = "/manager-status";
    view->assets_version = "1";
    view->pool = pool;
    check_records(view);
    if (which < WRITERS) {
        check_format(view, which);
    }
    else {
        check_watch(source, in, pool);
    }
}

/* The board where it lies, as a child of httpd has it mapped. */
static void read_mapped(apr_pool_t *pool)
{
    amgr_board_config_t config;
    amgr_view_t view;

    memset(&view, 0, sizeof(view));
    (void)amgr_board_read_config(board, &config); /* memory alone */
    (void)amgr_board_managed_revision(board);
    (void)amgr_board_last_beat(board);
    amgr_view_board_records(&view, board, pool);
    amgr_view_board_managed(&view, board, pool);
    check(view.record_count >= 0 && view.record_count <= AMGR_RECORDS_MAX);
    check(view.evidence_count >= 0 &&
          view.evidence_count <= AMGR_EVIDENCES_MAX);
    check(view.managed == NULL ||
          (view.managed->count > 0 && view.managed->count <= AMGR_MANAGED_MAX));
    if (view.managed != NULL) {
        fuzz_output_t output = {NULL, 0};
        amgr_sink_t sink;
        char buf[512];

        amgr_sink_init(&sink, buf, sizeof(buf), fuzz_append, &output);
        amgr_pymanager_write_list(view.managed, &sink);
        check(amgr_sink_finish(&sink) == APR_SUCCESS);
        check_json(&output);
        free(output.data);
    }
}

/* A new layout takes over what there is. */
static void carry(void)
{
    void *memory = calloc(1, board_size);
    amgr_board_t *next;

    check(memory != NULL);
    next = amgr_board_init(memory, &dims, &owner);
    check((amgr_board_carry(next, board) & ~AMGR_CARRY_ALL) == 0);
    check(amgr_board_check(next, board_size, &dims) == APR_SUCCESS);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const void *sound;
    amgr_local_server_t server = {.board = "fuzz", .parent = {77, 88}};
    fuzz_t in = {data, data + size};
    apr_pool_t *pool = fuzz_pool();
    amgr_source_t source;
    apr_status_t rv;
    int wants;
    int which;
    int count;
    int is_torn;

    if (sound == NULL) {
        sound = make_template();
    }
    memcpy(board, sound, board_size);
    wants = (int)fuzz_bits(&in, 1) & AMGR_WANT_ALL;
    which = fuzz_below(&in, 32);
    is_torn = which == 31;
    for (count = fuzz_below(&in, 32); count > 0; count--) {
        write_over(sound, &in);
    }
    if (!is_torn) {
        end_writes(sound);
    }
    rv = amgr_board_check(board, board_size, NULL);
    check(rv == APR_SUCCESS || rv == APR_EGENERAL || rv == APR_ENOTIMPL);
    if (amgr_source_board(&server, wants, &source, pool) == NULL) {
        check(rv == APR_SUCCESS);
        check_source(&source, which, &in, pool);
    }
    if (rv == APR_SUCCESS) {
        read_mapped(pool);
    }
    if (rv != APR_EGENERAL) {
        carry();
    }
    apr_pool_destroy(pool);
    return 0;
}
