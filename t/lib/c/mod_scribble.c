/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: a worker gone mad.  It writes lies into whatever memory
 * it shares with others, waits, and puts back what it found, so that the
 * server itself can be stopped in order.
 *
 *   /scribble?pids=N,M   the rows in use belong to these processes in turn
 *   /scribble?hang=1     every idle slot has run a request for a year
 *   /scribble?start=1    the scoreboard is older than time, and the idle slots
 *                        have served more than all servers there are
 *   /scribble?noise=1    0xff over all shared memory that is not httpd's own
 *   /scribble?notes=index  every note of a time limit names one that there is
 *                        not, and excuses its request for ever
 *   /scribble?notes=stamp  every such note is about another request
 *   /scribble?image=N    bytes from this seed over all rows and slots; not over
 *                        their number and the generation, by which children
 *                        find what they may write
 *   /scribble?board=1    tells how the board is mapped and whether mprotect(2)
 *                        makes it writable
 * with &secs=N: for so many seconds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <ap_mpm.h>
#include <scoreboard.h>

#define ROWS_MAX 64
#define LIE_TIME (APR_USEC_PER_SEC * 86400 * 365 * 50)

static const char *text(request_rec *r, const char *name)
{
    const char *at = r->args == NULL ? NULL : strstr(r->args, name);

    return at == NULL ? NULL : at + strlen(name);
}

static int number(request_rec *r, const char *name, int otherwise)
{
    const char *at = text(r, name);

    return at == NULL ? otherwise : (int)strtol(at, NULL, 10);
}

static int limit_of(int what)
{
    int value = 0;

    ap_mpm_query(what, &value);
    return value;
}

static pid_t saved_pids[ROWS_MAX];

/** The pids of a list "1,2", one to each row and from the first again. */
static void lie_about_pids(const char *list)
{
    int rows = limit_of(AP_MPMQ_HARD_LIMIT_DAEMONS);
    char *at = (char *)list;
    int row;

    for (row = 0; row < rows && row < ROWS_MAX; row++) {
        process_score *process = ap_get_scoreboard_process(row);

        saved_pids[row] = process->pid;
        if (process->pid != 0) {
            process->pid = (pid_t)strtol(at, &at, 10);
            at = *at == ',' ? at + 1 : (char *)list;
        }
    }
}

static void tell_true_pids(void)
{
    int rows = limit_of(AP_MPMQ_HARD_LIMIT_DAEMONS);
    int row;

    for (row = 0; row < rows && row < ROWS_MAX; row++) {
        if (saved_pids[row] != 0) {
            ap_get_scoreboard_process(row)->pid = saved_pids[row];
        }
    }
}

/** Only idle slots, and back only those that nobody has used since: the MPM
 * itself must not fall over what this module makes of its memory. */
static void lie_about_time(int lie)
{
    int rows = limit_of(AP_MPMQ_HARD_LIMIT_DAEMONS);
    int columns = limit_of(AP_MPMQ_HARD_LIMIT_THREADS);
    int row;
    int column;

    for (row = 0; row < rows; row++) {
        for (column = 0; column < columns; column++) {
            worker_score *slot =
                ap_get_scoreboard_worker_from_indexes(row, column);

            if (lie && slot->status == SERVER_READY) {
                slot->status = SERVER_BUSY_WRITE;
                slot->start_time = LIE_TIME;
                slot->stop_time = LIE_TIME - 1;
                slot->bytes_served = -1;
                slot->my_access_count = (unsigned long)-1;
                memset(slot->request, 0xff, sizeof(slot->request));
                memset(slot->client64, 'A', sizeof(slot->client64));
            }
            else if (!lie && slot->start_time == LIE_TIME &&
                     slot->status == SERVER_BUSY_WRITE) {
                slot->start_time = 0;
                slot->stop_time = 0;
                slot->status = SERVER_READY;
            }
        }
    }
}

/** A part of the scoreboard, what was in it, and what was written there. */
typedef struct part_t {
    apr_uint32_t *at;
    apr_uint32_t *was;
    apr_uint32_t *lie;
    size_t words;
} part_t;

static part_t parts[ROWS_MAX + 1];
static int part_count;

static void spoil(void *at, size_t size, apr_uint32_t *seed)
{
    part_t *part = &parts[part_count];
    size_t i;

    part->words = size / sizeof(*part->at);
    part->at = at;
    part->was = malloc(size);
    part->lie = malloc(size);
    if (part_count > ROWS_MAX || part->was == NULL || part->lie == NULL) {
        abort();
    }
    part_count++;
    for (i = 0; i < part->words; i++) {
        *seed = *seed * 1664525 + 1013904223;
        part->was[i] = part->at[i];
        part->lie[i] = *seed ^ *seed >> 16;
        part->at[i] = part->lie[i];
    }
}

static void spoil_image(int seed)
{
    size_t rows = (size_t)limit_of(AP_MPMQ_HARD_LIMIT_DAEMONS);
    size_t columns = (size_t)limit_of(AP_MPMQ_HARD_LIMIT_THREADS);
    apr_uint32_t state = (apr_uint32_t)seed;
    size_t row;

    part_count = 0;
    spoil(ap_scoreboard_image->parent, rows * sizeof(process_score), &state);
    for (row = 0; row < rows && row < ROWS_MAX; row++) {
        spoil(ap_scoreboard_image->servers[row],
              (columns == 0 ? 1 : columns) * sizeof(worker_score), &state);
    }
}

/** What others have written since is theirs. */
static void mend_image(void)
{
    size_t i;

    while (part_count > 0) {
        part_t *part = &parts[--part_count];

        for (i = 0; i < part->words; i++) {
            if (part->at[i] == part->lie[i]) {
                part->at[i] = part->was[i];
            }
        }
        free(part->was);
        free(part->lie);
    }
}

#define LIE_SUM (1L << 50)
#define LIED_MAX 1024

static apr_time_t saved_start;
static worker_score *lied[LIED_MAX];
static int lied_count;

/** Added, so that what is added meanwhile stays when it is taken away. */
static void lie_about_sums(long lie)
{
    int i;

    for (i = 0; i < lied_count; i++) {
        lied[i]->access_count += (unsigned long)lie;
        lied[i]->bytes_served += lie;
        lied[i]->duration += lie / 1000000;
        lied[i]->times.tms_utime += lie / 1000000;
    }
}

static void lie_about_start(void)
{
    int rows = limit_of(AP_MPMQ_HARD_LIMIT_DAEMONS);
    int columns = limit_of(AP_MPMQ_HARD_LIMIT_THREADS);
    int i;

    saved_start = ap_get_scoreboard_global()->restart_time;
    ap_get_scoreboard_global()->restart_time = 0;
    lied_count = 0;
    for (i = 0; i < rows * columns && lied_count < LIED_MAX; i++) {
        worker_score *slot =
            ap_get_scoreboard_worker_from_indexes(i / columns, i % columns);

        if (slot->status == SERVER_READY) {
            lied[lied_count++] = slot;
        }
    }
    lie_about_sums(LIE_SUM);
}

static void tell_true_start(void)
{
    lie_about_sums(-LIE_SUM);
    ap_get_scoreboard_global()->restart_time = saved_start;
}

/** Calls for every writable shared mapping but the scoreboard. */
static int each_mapping(void (*take)(char *begin, size_t size, void *baton),
                        void *baton)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[1024];
    int count = 0;

    if (maps == NULL) {
        return -1;
    }
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long begin = 0;
        unsigned long end = 0;
        unsigned long image = (unsigned long)ap_scoreboard_image->global;
        char perms[8] = "";

        if (sscanf(line, "%lx-%lx %7s", &begin, &end, perms) == 3 &&
            strcmp(perms, "rw-s") == 0 && !(image >= begin && image < end) &&
            strstr(line, ".profraw") == NULL) { /* what counts lines that ran */
            take((char *)begin, end - begin, baton);
            count++;
        }
    }
    fclose(maps);
    return count;
}

static char *saved[64];
static size_t saved_count;

static void make_noise(char *begin, size_t size, void *baton)
{
    (void)baton;
    if (saved_count < 64 && (saved[saved_count] = malloc(size)) != NULL) {
        memcpy(saved[saved_count++], begin, size);
        memset(begin, 0xff, size);
    }
}

static void make_quiet(char *begin, size_t size, void *baton)
{
    size_t *index = baton;

    if (*index < saved_count) {
        memcpy(begin, saved[*index], size);
        free(saved[(*index)++]);
    }
}

#define STAMP_MASK ((APR_UINT64_C(1) << 40) - 1)

/** Whether a request of some slot began at the time in the word's low bits. */
static int is_about_a_slot(apr_uint64_t word)
{
    int rows = limit_of(AP_MPMQ_HARD_LIMIT_DAEMONS);
    int columns = limit_of(AP_MPMQ_HARD_LIMIT_THREADS);
    int row;
    int column;

    for (row = 0; row < rows; row++) {
        for (column = 0; column < columns; column++) {
            apr_uint64_t start =
                (apr_uint64_t)ap_get_scoreboard_worker_from_indexes(row, column)
                    ->start_time;

            if (start != 0 && (start & STAMP_MASK) == (word & STAMP_MASK)) {
                return 1;
            }
        }
    }
    return 0;
}

static int forged;

/** What looks like a note of a time limit, wherever it lies. */
static void forge_notes(char *begin, size_t size, void *baton)
{
    const char *how = baton;
    apr_uint64_t *word = (apr_uint64_t *)(void *)begin;
    size_t i;

    for (i = 0; i < size / sizeof(*word); i++) {
        if (word[i] == 0 || !is_about_a_slot(word[i])) {
            continue;
        }
        word[i] = strcmp(how, "index") == 0
                      ? (word[i] & STAMP_MASK) | ~STAMP_MASK
                      : word[i] ^ 1;
        forged++;
    }
}

static int tell_board(request_rec *r)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[1024];

    if (maps == NULL) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long begin = 0;
        unsigned long end = 0;
        char perms[8] = "";

        if (strstr(line, "apache-manager.board") == NULL ||
            sscanf(line, "%lx-%lx %7s", &begin, &end, perms) != 3) {
            continue;
        }
        if (mprotect((void *)begin, end - begin, PROT_READ | PROT_WRITE) == 0) {
            ap_rprintf(r, "board %s writable\n", perms);
            mprotect((void *)begin, end - begin, PROT_READ);
        }
        else {
            ap_rprintf(r, "board %s %s\n", perms,
                       errno == EACCES ? "EACCES" : strerror(errno));
        }
    }
    fclose(maps);
    return OK;
}

static int handle(request_rec *r)
{
    int seconds = number(r, "secs=", 2);
    const char *pids = text(r, "pids=");
    int image = number(r, "image=", 0);
    int hang = number(r, "hang=", 0);
    int noise = number(r, "noise=", 0);
    int start = number(r, "start=", 0);
    int count = 0;
    size_t index = 0;

    if (r->handler == NULL || strcmp(r->handler, "scribble") != 0) {
        return DECLINED;
    }
    ap_set_content_type(r, "text/plain");
    if (number(r, "board=", 0)) {
        return tell_board(r);
    }
    if (image) {
        spoil_image(image);
    }
    if (pids != NULL) {
        lie_about_pids(pids);
    }
    if (hang) {
        lie_about_time(1);
    }
    if (start) {
        lie_about_start();
    }
    forged = 0;
    if (r->args != NULL && strstr(r->args, "notes=index") != NULL) {
        each_mapping(forge_notes, "index");
    }
    if (r->args != NULL && strstr(r->args, "notes=stamp") != NULL) {
        each_mapping(forge_notes, "stamp");
    }
    if (noise) {
        saved_count = 0;
        count = each_mapping(make_noise, NULL);
    }
    sleep((unsigned int)seconds);
    if (noise) {
        each_mapping(make_quiet, &index);
    }
    if (start) {
        tell_true_start();
    }
    if (hang) {
        lie_about_time(0);
    }
    if (pids != NULL) {
        tell_true_pids();
    }
    if (image) {
        mend_image();
    }
    ap_rprintf(r, "pid=%d mappings=%d forged=%d\n", (int)getpid(), count,
               forged);
    return OK;
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(scribble) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
    AP_MODULE_FLAG_NONE};
