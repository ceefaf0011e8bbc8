/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD: every kind of fault that memcheck is to
 * find, before the program begins.
 */
#include <stdlib.h>
#include <sys/mman.h>

#define MANY 100
#define PIECE 8192

static void *kept[MANY];
static volatile int sum;

/* As APR gets the memory of its pools. */
static int *map_piece(void)
{
    return mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

__attribute__((noinline)) static void use_nothing(void)
{
    volatile int *piece = map_piece();

    if (piece[7] > 0) {
        sum++;
    }
    munmap((void *)piece, PIECE);
}

__attribute__((noinline)) static void use_gone(void)
{
    volatile int *piece = map_piece();

    piece[7] = 1;
    munmap((void *)piece, PIECE);
    sum += piece[7];
}

__attribute__((noinline)) static void lose_one(void)
{
    volatile char *block = malloc(77);

    block[0] = 1;
}

__attribute__((noinline)) static void keep_many(void)
{
    int i;

    for (i = 0; i < MANY; i++) {
        kept[i] = malloc(33);
    }
}

__attribute__((constructor)) static void begin(void)
{
    use_nothing();
    use_gone();
    lose_one();
    keep_many();
    sum += kept[0] != NULL;
}
