/* SPDX-License-Identifier: Apache-2.0
 *
 * Trees of configuration files for the tests of their reader, in a directory
 * of their own, and what was read of them as text.
 */
#ifndef AMGR_TEST_CONFIG_TREE_H
#define AMGR_TEST_CONFIG_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <apr_strings.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scratch.h"

#include "base/base.h"
#include "cli/config/apache_config.h"

/** What one test works with. */
typedef struct tree_t {
    apr_pool_t *pool;
    char dir[SCRATCH_SIZE];
    amgr_apache_config_t config;
} tree_t;

static inline int setup(void **state)
{
    tree_t *tree = calloc(1, sizeof(*tree));

    apr_pool_create(&tree->pool, NULL);
    if (scratch_make(tree->dir, 0755) != 0) {
        return -1;
    }
    unsetenv("APACHE_CONFDIR");
    unsetenv("APACHE_ENVVARS");
    *state = tree;
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int type,
                      struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline int teardown(void **state)
{
    tree_t *tree = *state;

    nftw(tree->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    apr_pool_destroy(tree->pool);
    free(tree);
    return 0;
}

static inline const char *below(const tree_t *tree, const char *name)
{
    return apr_pstrcat(tree->pool, tree->dir, "/", name, NULL);
}

/* A file, with the directories it needs; "@" in it is the tree's own path. */
static inline void put(const tree_t *tree, const char *name, const char *text)
{
    char *path = apr_pstrcat(tree->pool, tree->dir, "/", name, NULL);
    char *slash = path + strlen(tree->dir);
    FILE *file;

    while ((slash = strchr(slash + 1, '/')) != NULL) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    file = fopen(path, "w");
    assert_non_null(file);
    for (; *text != '\0'; text++) {
        if (*text == '@') {
            fputs(tree->dir, file);
        }
        else {
            fputc(*text, file);
        }
    }
    fclose(file);
}

static inline amgr_apache_config_t *read_tree(tree_t *tree, const char *name)
{
    const amgr_fault_t *fault =
        amgr_apache_config_read(below(tree, name), &tree->config, tree->pool);

    if (fault != NULL) {
        print_error("%s\n", fault->text);
    }
    assert_null(fault);
    return &tree->config;
}

/* One file of that text. */
static inline amgr_apache_config_t *read_text(tree_t *tree, const char *text)
{
    put(tree, "httpd.conf", text);
    return read_tree(tree, "httpd.conf");
}

/* "127.0.0.1 80, ::1 443 tls" */
static inline const char *listens(const tree_t *tree)
{
    const char *text = "";
    int i;

    for (i = 0; i < tree->config.listens->nelts; i++) {
        const amgr_listen_t *listen =
            &APR_ARRAY_IDX(tree->config.listens, i, amgr_listen_t);

        text = apr_psprintf(tree->pool, "%s%s%s %d%s", text, i == 0 ? "" : ", ",
                            listen->address, listen->port,
                            listen->tls ? " tls" : "");
    }
    return text;
}

/* All warnings, those of Listen last, without the tree's own path. */
static inline const char *warnings(const tree_t *tree)
{
    char *text = apr_array_pstrcat(
        tree->pool,
        apr_array_append(tree->pool, tree->config.warnings,
                         tree->config.bad_listens),
        '\n');
    apr_size_t length = strlen(tree->dir);
    char *at = text;

    while ((at = strstr(at, tree->dir)) != NULL) {
        memmove(at, at + length, strlen(at + length) + 1);
    }
    return text;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
