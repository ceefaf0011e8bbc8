/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the data file.  Checked besides memory: what is refused says why
 * in one line; what is taken can be written in every format, and the file that
 * is written of it is taken again and, with its names repaired, written as the
 * same.
 */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/source/source_parts.h"

/* In memory; *out_path is what it is opened by. */
static int make_file(const void *data, size_t size, char *path, size_t room)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    check(fd >= 0);
    check(pwrite(fd, data, size, 0) == (ssize_t)size);
    snprintf(path, room, "/proc/self/fd/%d", fd);
    return fd;
}

static fuzz_output_t render(void (*writer)(const amgr_view_t *, amgr_sink_t *),
                            const amgr_view_t *view)
{
    fuzz_output_t output = {NULL, 0};
    amgr_sink_t sink;
    char buf[512];

    amgr_sink_init(&sink, buf, sizeof(buf), fuzz_append, &output);
    writer(view, &sink);
    check(amgr_sink_finish(&sink) == APR_SUCCESS);
    return output;
}

static void check_formats(const amgr_view_t *view)
{
    static void (*const writers[])(const amgr_view_t *, amgr_sink_t *) = {
        amgr_write_status_json, amgr_write_auto, amgr_write_metrics,
        amgr_write_discovery_json};
    size_t i;

    for (i = 0; i < AMGR_COUNT(writers); i++) {
        free(render(writers[i], view).data);
    }
}

static const amgr_fault_t *read_file(const void *data, size_t size,
                                     amgr_source_t *out, apr_pool_t *pool)
{
    char path[64];
    int fd = make_file(data, size, path, sizeof(path));
    const amgr_fault_t *fault = amgr_source_data_file(path, out, pool);

    close(fd);
    return fault;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    amgr_source_t source;
    const amgr_fault_t *fault = read_file(data, size, &source, pool);

    if (fault != NULL) {
        check(fault->exit_code == AMGR_EXIT_FAILED);
        check_line_text(fault->text);
    }
    else {
        fuzz_output_t first = render(amgr_write_metrics_txt, &source.view);
        fuzz_output_t second;
        fuzz_output_t third;

        check_formats(&source.view);
        check(read_file(first.data, first.len, &source, pool) == NULL);
        /* A name that is not UTF-8 is repaired the first time. */
        second = render(amgr_write_metrics_txt, &source.view);
        check(read_file(second.data, second.len, &source, pool) == NULL);
        third = render(amgr_write_metrics_txt, &source.view);
        check(strcmp(second.data, third.data) == 0);
        free(first.data);
        free(second.data);
        free(third.data);
    }
    apr_pool_destroy(pool);
    return 0;
}
