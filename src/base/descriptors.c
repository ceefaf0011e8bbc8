/* SPDX-License-Identifier: Apache-2.0
 *
 * See descriptors.h.
 */
#include <unistd.h>

#include "base/descriptors.h"

/* Descriptors there can be, where the kernel cannot be asked to close all. */
#define FD_MAX 65536

void amgr_descriptors_close(int first, int last)
{
    int fd;

    if (first > last ||
        close_range((unsigned int)first, (unsigned int)last, 0) == 0) {
        return;
    }
    /* Before Linux 5.9. */
    for (fd = first; fd <= last && fd < FD_MAX; fd++) {
        close(fd);
    }
}
