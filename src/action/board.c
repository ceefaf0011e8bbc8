/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's layout, its check, and its small regions: configuration,
 * counters and heartbeat.  The sizes of all structs are part of the header, so
 * that a process of another build refuses a board instead of misreading it.
 */
#include <string.h>

#include "action/board_layout.h"
#include "action/orders.h"
#include "action/seqlock.h"

#define ALIGN_BYTES 64

/* Far above what httpd can be built for; keeps the arithmetic from wrapping. */
#define PROCESS_MAX (1 << 20)
#define SLOT_MAX (1 << 24)
#define THREAD_MAX (1 << 20)

_Static_assert(sizeof(amgr_counters_t) % sizeof(apr_uint64_t) == 0,
               "counters are copied word by word");

#define WORD_OF(member) \
    (offsetof(amgr_counters_t, member) / sizeof(apr_uint64_t))

/* What other builds have where; see amgr_counters_t. */
_Static_assert(WORD_OF(ticks) == 0 && WORD_OF(errors) == 1 &&
                   WORD_OF(suppressed) == 8 && WORD_OF(killed_active) == 18 &&
                   WORD_OF(drained) == 20 && WORD_OF(tick_cpu_us) == 23 &&
                   WORD_OF(orphaned_locks) == 26 && WORD_OF(retired) == 27 &&
                   WORD_OF(tick_spans) == 39 && WORD_OF(killed_ages) == 51 &&
                   WORD_OF(cpu_user_us) == 63 && WORD_OF(totals) == 66 &&
                   WORD_OF(totals_mono_us) == 70 && WORD_OF(seen) == 71 &&
                   WORD_OF(room) == 74,
               "counters stay where they are");

static const amgr_board_sizes_t own_sizes = {
    .header = sizeof(struct amgr_board_t),
    .config = sizeof(amgr_board_config_region_t),
    .tick = sizeof(amgr_board_tick_t),
    .server = sizeof(amgr_server_t),
    .group = sizeof(amgr_group_t),
    .process = sizeof(amgr_process_t),
    .slot = sizeof(amgr_slot_t),
    .counters = sizeof(amgr_counters_t),
    .record = sizeof(amgr_record_t),
    .records_max = AMGR_RECORDS_MAX,
    .ledger = sizeof(amgr_ledger_t),
    .ledger_process = sizeof(amgr_ledger_process_t),
    .ledger_slot = sizeof(amgr_ledger_slot_t),
    .evidence = sizeof(amgr_evidence_t),
    .evidences_max = AMGR_EVIDENCES_MAX,
    .history = sizeof(amgr_board_history_t),
};

/* Slots in the ledger: the scoreboard's, and the requests of HTTP/2. */
static int ledger_slots(const amgr_board_dims_t *dims)
{
    int rows = dims->thread_limit > 0 ? dims->slot_max / dims->thread_limit : 0;

    return rows * amgr_ledger_columns(dims->thread_limit);
}

/* Reserve @a bytes at *end, which moves to the next cache line after it. */
static apr_uint64_t place(apr_uint64_t *end, apr_uint64_t bytes)
{
    apr_uint64_t offset = *end;

    *end =
        (offset + bytes + ALIGN_BYTES - 1) & ~(apr_uint64_t)(ALIGN_BYTES - 1);
    return offset;
}

static void lay_out(const amgr_board_dims_t *dims, amgr_board_offsets_t *out,
                    apr_uint64_t *out_managed_at)
{
    apr_uint64_t processes = (apr_uint64_t)dims->process_max;
    apr_uint64_t slots = (apr_uint64_t)dims->slot_max;
    apr_uint64_t end = 0;

    (void)place(&end, sizeof(struct amgr_board_t)); /* the header, at 0 */
    out->config = place(&end, sizeof(amgr_board_config_region_t));
    out->beat = place(&end, sizeof(apr_uint64_t));
    out->orders = place(&end, amgr_orders_size(dims->process_max));
    out->counters = place(&end, sizeof(amgr_counters_t));
    out->records = place(&end, sizeof(amgr_board_records_t));
    out->tick = place(&end, sizeof(amgr_board_tick_t));
    out->processes = place(&end, processes * sizeof(amgr_process_t));
    out->slots = place(&end, slots * sizeof(amgr_slot_t));
    out->ledger =
        place(&end, amgr_ledger_size(dims->process_max, ledger_slots(dims)));
    out->evidences = place(&end, sizeof(amgr_board_evidences_t));
    out->history = place(&end, sizeof(amgr_board_history_t));
    *out_managed_at = place(&end, sizeof(amgr_board_managed_t));
    out->total = end;
}

static int are_sane(const amgr_board_dims_t *dims)
{
    return dims->process_max >= 0 && dims->process_max <= PROCESS_MAX &&
           dims->slot_max >= 0 && dims->slot_max <= SLOT_MAX &&
           dims->thread_limit >= 0 && dims->thread_limit <= THREAD_MAX;
}

apr_size_t amgr_board_size(const amgr_board_dims_t *dims)
{
    amgr_board_offsets_t at;
    apr_uint64_t managed_at;

    lay_out(dims, &at, &managed_at);
    return at.total;
}

amgr_board_t *amgr_board_init(void *memory, const amgr_board_dims_t *dims,
                              const amgr_board_owner_t *owner)
{
    amgr_board_t *board = memory;

    board->version = AMGR_BOARD_VERSION;
    board->sizes = own_sizes;
    board->dims = *dims;
    board->owner = *owner;
    board->owner.boot_id[sizeof(board->owner.boot_id) - 1] = '\0';
    board->managed_bytes = sizeof(amgr_managed_table_t);
    lay_out(dims, &board->at, &board->managed_at);
    amgr_orders_init(amgr_board_at_rw(board, board->at.orders),
                     dims->process_max);
    (void)amgr_ledger_init(
        amgr_board_at_rw(board, board->at.ledger), dims->process_max,
        ledger_slots(dims),
        amgr_ledger_columns(dims->thread_limit)); /* it stands in place */
    /* Last, so that nobody takes half a header for a board. */
    __atomic_store_n(&board->magic, AMGR_BOARD_MAGIC, __ATOMIC_RELEASE);
    return board;
}

/* A header that begins as ours: then its offsets mean what ours do. */
static int has_known_header(const amgr_board_t *board)
{
    return board->version == AMGR_BOARD_VERSION &&
           board->sizes.header >= AMGR_BOARD_HEADER_MIN_BYTES;
}

/* Whether the region is inside the board and is aligned. */
static int is_inside(const amgr_board_t *board, apr_uint64_t offset,
                     apr_uint64_t bytes)
{
    return offset % ALIGN_BYTES == 0 && offset >= board->sizes.header &&
           offset <= board->at.total && bytes <= board->at.total - offset;
}

/* Whether every region is where this build would put it. */
static int are_in_place(const amgr_board_t *board)
{
    amgr_board_offsets_t at;
    apr_uint64_t managed_at;

    if (!are_sane(&board->dims) ||
        memchr(board->owner.boot_id, '\0', sizeof(board->owner.boot_id)) ==
            NULL) {
        return 0;
    }
    lay_out(&board->dims, &at, &managed_at);
    return memcmp(&at, &board->at, sizeof(at)) == 0 &&
           managed_at == board->managed_at;
}

apr_status_t amgr_board_check_header(const amgr_board_t *board, apr_size_t size)
{
    if (size < sizeof(*board) ||
        __atomic_load_n(&board->magic, __ATOMIC_ACQUIRE) != AMGR_BOARD_MAGIC) {
        return APR_EGENERAL;
    }
    if (!has_known_header(board)) {
        return APR_ENOTIMPL;
    }
    if (board->at.total > size) {
        return APR_EGENERAL;
    }
    if (memcmp(&board->sizes, &own_sizes, sizeof(own_sizes)) != 0 ||
        board->managed_bytes != sizeof(amgr_managed_table_t)) {
        return APR_ENOTIMPL;
    }
    return are_in_place(board) ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t amgr_board_check(const void *memory, apr_size_t size,
                              const amgr_board_dims_t *dims)
{
    const amgr_board_t *board = memory;
    apr_status_t rv = amgr_board_check_header(board, size);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!amgr_ledger_fits(amgr_board_at(board, board->at.ledger),
                          board->dims.process_max, ledger_slots(&board->dims),
                          amgr_ledger_columns(board->dims.thread_limit))) {
        return APR_EGENERAL;
    }
    if (dims != NULL && (dims->process_max != board->dims.process_max ||
                         dims->slot_max != board->dims.slot_max ||
                         dims->thread_limit != board->dims.thread_limit)) {
        return APR_ENOTIMPL;
    }
    return APR_SUCCESS;
}

const amgr_board_owner_t *amgr_board_owner(const amgr_board_t *board)
{
    return &board->owner;
}

const amgr_board_dims_t *amgr_board_dims(const amgr_board_t *board)
{
    return &board->dims;
}

void amgr_board_write_config(amgr_board_t *board,
                             const amgr_board_config_t *config)
{
    amgr_board_config_region_t *region =
        amgr_board_at_rw(board, board->at.config);

    amgr_seq_begin_write(&region->seq);
    region->config = *config;
    amgr_seq_end_write(&region->seq);
}

/* Longer than any that can be configured, and not too long to be multiplied. */
#define INTERVAL_MAX_US (APR_INT64_C(1) << 48)

/* Make every name end, the count of sections one that there is room for, and
 * the interval one that can be reckoned with. */
static void mend_config(amgr_board_config_t *config)
{
    amgr_limits_t *limits = &config->limits;
    int i;

    if (limits->interval_us < 0 || limits->interval_us > INTERVAL_MAX_US) {
        limits->interval_us = INTERVAL_MAX_US;
    }
    if (limits->section_count < 0 ||
        limits->section_count > AMGR_SECTIONS_MAX) {
        limits->section_count = 0;
    }
    for (i = 0; i < AMGR_SECTIONS_MAX; i++) {
        amgr_section_t *section = &limits->sections[i];

        section->name[sizeof(section->name) - 1] = '\0';
    }
}

apr_status_t amgr_board_read_config(const amgr_board_t *board,
                                    amgr_board_config_t *out)
{
    const amgr_board_config_region_t *region =
        amgr_board_at(board, board->at.config);
    apr_uint64_t seq;
    int i;

    for (i = 0; i < AMGR_SEQ_TRIES; i++) {
        seq = amgr_seq_begin_read(&region->seq);
        if (seq == 0) {
            return APR_NOTFOUND;
        }
        *out = region->config;
        if (amgr_seq_is_stable(&region->seq, seq)) {
            mend_config(out);
            return APR_SUCCESS;
        }
    }
    return APR_EAGAIN;
}

amgr_counters_t *amgr_board_counters(amgr_board_t *board)
{
    return amgr_board_at_rw(board, board->at.counters);
}

static void copy_words(void *to, const void *from, apr_size_t bytes)
{
    const apr_uint64_t *source = from;
    apr_uint64_t *target = to;
    apr_size_t i;

    for (i = 0; i < bytes / sizeof(*source); i++) {
        target[i] = __atomic_load_n(&source[i], __ATOMIC_RELAXED);
    }
}

void amgr_board_read_counters(const amgr_board_t *board, amgr_counters_t *out)
{
    const amgr_counters_t *from = amgr_board_at(board, board->at.counters);
    /* They are written last, so they are read first. */
    apr_uint64_t cpu_mono_us =
        __atomic_load_n(&from->cpu_mono_us, __ATOMIC_ACQUIRE);
    apr_uint64_t totals_mono_us =
        __atomic_load_n(&from->totals_mono_us, __ATOMIC_ACQUIRE);

    copy_words(out, from, sizeof(*out));
    out->cpu_mono_us = cpu_mono_us;
    out->totals_mono_us = totals_mono_us;
}

amgr_ledger_t *amgr_board_ledger(amgr_board_t *board)
{
    return amgr_board_at_rw(board, board->at.ledger);
}

void amgr_board_beat(amgr_board_t *board, apr_time_t mono_us)
{
    apr_time_t *beat = amgr_board_at_rw(board, board->at.beat);

    __atomic_store_n(beat, mono_us, __ATOMIC_RELEASE);
}

apr_time_t amgr_board_last_beat(const amgr_board_t *board)
{
    const apr_time_t *beat = amgr_board_at(board, board->at.beat);

    return __atomic_load_n(beat, __ATOMIC_ACQUIRE);
}

/* As many as both have; where there are less, the rest is 0. */
static int carry_counters(amgr_board_t *board, const amgr_board_t *old)
{
    apr_size_t bytes = old->sizes.counters;

    if (bytes > sizeof(amgr_counters_t)) {
        bytes = sizeof(amgr_counters_t);
    }
    if (bytes < AMGR_COUNTERS_MIN_BYTES ||
        !is_inside(old, old->at.counters, bytes)) {
        return 0;
    }
    copy_words(amgr_board_counters(board), amgr_board_at(old, old->at.counters),
               bytes);
    return AMGR_CARRY_COUNTERS;
}

/* A build that knew of none has none to lose. */
static int carry_managed(amgr_board_t *board, const amgr_board_t *old)
{
    if (old->sizes.header < own_sizes.header) {
        return AMGR_CARRY_MANAGED;
    }
    if (old->managed_bytes != sizeof(amgr_managed_table_t) ||
        !is_inside(old, old->managed_at, sizeof(amgr_board_managed_t))) {
        return 0;
    }
    amgr_board_carry_managed(board, old);
    return AMGR_CARRY_MANAGED;
}

int amgr_board_carry(amgr_board_t *board, const amgr_board_t *old)
{
    int carried;

    if (old->magic != AMGR_BOARD_MAGIC || !has_known_header(old)) {
        return 0;
    }
    carried = carry_counters(board, old);
    if (old->sizes.record == own_sizes.record &&
        old->sizes.records_max == own_sizes.records_max &&
        is_inside(old, old->at.records, sizeof(amgr_board_records_t))) {
        amgr_board_carry_records(board, old);
        carried |= AMGR_CARRY_RECORDS;
    }
    if (old->sizes.evidence == own_sizes.evidence &&
        old->sizes.evidences_max == own_sizes.evidences_max &&
        is_inside(old, old->at.evidences, sizeof(amgr_board_evidences_t))) {
        amgr_board_carry_evidences(board, old);
        carried |= AMGR_CARRY_EVIDENCES;
    }
    if (old->sizes.history == own_sizes.history &&
        is_inside(old, old->at.history, sizeof(amgr_board_history_t))) {
        amgr_board_carry_history(board, old);
        carried |= AMGR_CARRY_HISTORY;
    }
    return carried | carry_managed(board, old);
}

const char *amgr_stage_word(int stage)
{
    static const char *const words[AMGR_STAGE_COUNT] = {
        [AMGR_STAGE_SCOREBOARD] = "scoreboard",
        [AMGR_STAGE_PROC] = "proc",
        [AMGR_STAGE_DATA_FILE] = "data_file",
        [AMGR_STAGE_SIGNAL] = "signal",
        [AMGR_STAGE_TICKER] = "ticker",
        [AMGR_STAGE_OVERRUN] = "overrun",
        [AMGR_STAGE_COMMAND] = "command",
    };

    if (stage < 0 || stage >= AMGR_STAGE_COUNT) {
        return "unknown";
    }
    return words[stage];
}
