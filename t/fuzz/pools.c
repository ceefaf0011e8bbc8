/* SPDX-License-Identifier: Apache-2.0
 *
 * What a fuzzed module takes from a pool is memory of its own (the linker puts
 * these in the place of APR's functions, --wrap), so that a byte beyond it is
 * seen by a sanitizer.  What APR itself takes, for arrays and tables and
 * printed texts, is not.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_pools.h>
#include <apr_strings.h>

void *__wrap_apr_palloc(apr_pool_t *pool, apr_size_t size);
void *__wrap_apr_pcalloc(apr_pool_t *pool, apr_size_t size);
void *__wrap_apr_pmemdup(apr_pool_t *pool, const void *from, apr_size_t size);
char *__wrap_apr_pstrdup(apr_pool_t *pool, const char *text);
char *__wrap_apr_pstrndup(apr_pool_t *pool, const char *text, apr_size_t max);
char *__wrap_apr_pstrmemdup(apr_pool_t *pool, const char *from, apr_size_t len);

static apr_status_t release(void *memory)
{
    free(memory);
    return APR_SUCCESS;
}

void *__wrap_apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    if (memory == NULL) {
        abort();
    }
    memset(memory, 0x5a, size); /* as if others had used it */
    apr_pool_cleanup_register(pool, memory, release, apr_pool_cleanup_null);
    return memory;
}

void *__wrap_apr_pcalloc(apr_pool_t *pool, apr_size_t size)
{
    return memset(__wrap_apr_palloc(pool, size), 0, size);
}

void *__wrap_apr_pmemdup(apr_pool_t *pool, const void *from, apr_size_t size)
{
    if (from == NULL) {
        return NULL;
    }
    return memcpy(__wrap_apr_palloc(pool, size), from, size);
}

char *__wrap_apr_pstrmemdup(apr_pool_t *pool, const char *from, apr_size_t len)
{
    char *text;

    if (from == NULL) {
        return NULL;
    }
    text = __wrap_apr_palloc(pool, len + 1);
    memcpy(text, from, len);
    text[len] = '\0';
    return text;
}

char *__wrap_apr_pstrdup(apr_pool_t *pool, const char *text)
{
    return text == NULL ? NULL
                        : __wrap_apr_pstrmemdup(pool, text, strlen(text));
}

char *__wrap_apr_pstrndup(apr_pool_t *pool, const char *text, apr_size_t max)
{
    return text == NULL ? NULL
                        : __wrap_apr_pstrmemdup(pool, text, strnlen(text, max));
}
