/* SPDX-License-Identifier: Apache-2.0
 *
 * Where in a board the ticks are that have ended: "OFFSET COUNT", that many
 * words of 64 bits from that byte on, whose sum they are.  A test reads them
 * there without asking the server, which would keep a worker busy.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "action/board.h"

int main(int argc, char **argv)
{
    const amgr_counters_t *counters;
    struct stat info;
    char *memory;
    int fd;

    if (argc != 2) {
        fputs("usage: board-ticks BOARD\n", stderr);
        return 2;
    }
    fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0 || info.st_size == 0) {
        return 1;
    }
    /* Private: nothing here is written, but one call asks for a board that
     * could be. */
    memory = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED ||
        amgr_board_check(memory, (apr_size_t)info.st_size, NULL) !=
            APR_SUCCESS) {
        return 1;
    }
    counters = amgr_board_counters((amgr_board_t *)memory);
    printf("%" PRIdPTR " %d\n",
           (intptr_t)((const char *)counters->tick_spans.counts - memory),
           AMGR_HISTOGRAM_STEPS + 1);
    return 0;
}
