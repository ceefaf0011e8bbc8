/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD, for programs under memcheck, valgrind(1):
 * Debian's APR maps the memory of its pools by itself, which is then all the
 * same to memcheck.  Here each such piece is an allocation: nobody has written
 * to it before it is written to, and one that is given back is gone.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIECES_MAX 65536
#define PAGE 4096

/* Complements of addresses, which nobody takes for pointers: what only this has
 * kept is lost. */
static uintptr_t pieces[PIECES_MAX];
static int piece_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void begin_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void end_fork(void)
{
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void begin(void)
{
    pthread_atfork(begin_fork, end_fork, end_fork);
}

static void *add_piece(size_t size)
{
    void *piece = NULL;

    pthread_mutex_lock(&lock);
    if (piece_count < PIECES_MAX && posix_memalign(&piece, PAGE, size) == 0) {
        pieces[piece_count++] = ~(uintptr_t)piece;
    }
    pthread_mutex_unlock(&lock);
    return piece;
}

static int drop_piece(void *address)
{
    int found = 0;
    int i;

    pthread_mutex_lock(&lock);
    for (i = piece_count - 1; i >= 0 && !found; i--) {
        if (pieces[i] == ~(uintptr_t)address) {
            pieces[i] = pieces[--piece_count];
            found = 1;
        }
    }
    pthread_mutex_unlock(&lock);
    if (found) {
        free(address);
    }
    return found;
}

/* What APR asks for, and nobody else that is loaded here. */
void *mmap(void *address, size_t size, int protection, int flags, int fd,
           off_t offset)
{
    void *piece = NULL;

    if (address == NULL && fd == -1 && protection == (PROT_READ | PROT_WRITE) &&
        flags == (MAP_PRIVATE | MAP_ANONYMOUS)) {
        piece = add_piece(size);
    }
    return piece != NULL ? piece
                         : (void *)syscall(SYS_mmap, address, size, protection,
                                           flags, fd, offset);
}

int munmap(void *address, size_t size)
{
    return drop_piece(address) ? 0 : (int)syscall(SYS_munmap, address, size);
}
