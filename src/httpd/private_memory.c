/* SPDX-License-Identifier: Apache-2.0
 *
 * See private_memory.h.
 */
#include "httpd/private_memory.h"

#include <errno.h>
#include <sys/mman.h>

#include "httpd/log.h"

void *amgr_private_memory_create(apr_size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return NULL;
    }
    if (madvise(memory, size, MADV_DONTFORK) != 0) {
        amgr_private_memory_destroy(memory, size);
        return NULL;
    }
    return memory;
}

void amgr_private_memory_destroy(void *memory, apr_size_t size)
{
    if (memory != NULL) {
        munmap(memory, size);
    }
}

apr_status_t amgr_private_memory_pass_on(void *memory, apr_size_t size,
                                         int pass_on)
{
    if (madvise(memory, size, pass_on ? MADV_DOFORK : MADV_DONTFORK) != 0) {
        return errno;
    }
    return APR_SUCCESS;
}

void amgr_private_memory_say_open(server_rec *s, apr_status_t rv)
{
    amgr_log(s, AMGR_TAG_FAILED, APLOG_ERR, rv,
             "memory of the parent cannot be kept from its children: restart "
             "the server");
}
