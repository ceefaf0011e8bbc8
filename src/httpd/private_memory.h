/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of the parent that its children never get: fork leaves it out
 * (MADV_DONTFORK), so that no worker can read or write it, and no copy is made
 * of it when the parent changes it later.  Shared in the sense of mmap(2), so
 * that the one process that is meant to have it, the ticker, can be given it
 * for one fork.
 */
#ifndef AMGR_PRIVATE_MEMORY_H
#define AMGR_PRIVATE_MEMORY_H

#include <httpd.h>

#include "base/base.h"

/** @a size bytes of zeros that fork leaves out, or NULL. */
void *amgr_private_memory_create(apr_size_t size);
void amgr_private_memory_destroy(void *memory, apr_size_t size);

/** Whether the next fork passes @a memory on: on around the ticker's fork.
 * Where that fails whoever has it would crash, or one have it who must not:
 * nothing is forked then. */
apr_status_t amgr_private_memory_pass_on(void *memory, apr_size_t size,
                                         int pass_on);

/** In the parent, where it could not be turned off again: say so. */
void amgr_private_memory_say_open(server_rec *s, apr_status_t rv);

#endif
