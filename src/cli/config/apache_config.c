/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the configuration of this machine's Apache, and reading it.
 */
#include "cli/config/apache_config_parts.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** No environment file is longer. */
#define MAX_ENVIRONMENT_BYTES ((apr_size_t)1024 * 1024)

/* Debian; Red Hat; built from source; FreeBSD's layout; SUSE, macOS. */
static const char *const places[] = {
    "/etc/apache2/apache2.conf",
    "/etc/httpd/conf/httpd.conf",
    "/usr/local/apache2/conf/httpd.conf",
    "/usr/local/etc/apache24/httpd.conf",
    "/etc/apache2/httpd.conf",
};

/* The first of @a candidates that is there, if only for others. */
static const char *first_there(const apr_array_header_t *candidates)
{
    struct stat info;
    int i;

    for (i = 0; i < candidates->nelts; i++) {
        const char *path = APR_ARRAY_IDX(candidates, i, const char *);

        if (stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR)) {
            return path;
        }
    }
    return NULL;
}

/* NULL: why it is not found is in *out_fault. */
static const char *find_main(const amgr_fault_t **out_fault, apr_pool_t *pool)
{
    const char *dir = getenv("APACHE_CONFDIR");
    apr_array_header_t *candidates =
        apr_array_make(pool, 8, sizeof(const char *));
    const char *file;
    const char *text;
    apr_size_t i;
    int n;

    if (dir != NULL && *dir != '\0') {
        APR_ARRAY_PUSH(candidates, const char *) =
            apr_pstrcat(pool, dir, "/apache2.conf", NULL);
        APR_ARRAY_PUSH(candidates, const char *) =
            apr_pstrcat(pool, dir, "/httpd.conf", NULL);
    }
    else {
        for (i = 0; i < AMGR_COUNT(places); i++) {
            APR_ARRAY_PUSH(candidates, const char *) = places[i];
        }
    }
    file = first_there(candidates);
    if (file != NULL) {
        return file;
    }
    text = APR_ARRAY_IDX(candidates, 0, const char *);
    for (n = 1; n < candidates->nelts; n++) {
        text = apr_pstrcat(pool, text, ", ",
                           APR_ARRAY_IDX(candidates, n, const char *), NULL);
    }
    *out_fault =
        amgr_fault_make(pool, AMGR_EXIT_FAILED,
                        "Apache's configuration is not found: looked for %s",
                        amgr_fault_quote(pool, text));
    return NULL;
}

/* What the file's name says of the ServerRoot that was built in. */
static const char *usual_root(const char *dir, apr_pool_t *pool)
{
    apr_size_t length = strlen(dir);

    return length > 5 && strcmp(dir + length - 5, "/conf") == 0
               ? apr_pstrmemdup(pool, dir, length - 5)
               : dir;
}

/* $APACHE_ENVVARS, or what lies beside the main file; it need not be there. */
static void read_environment(amgr_apache_reader_t *reader, const char *dir)
{
    const char *path = getenv("APACHE_ENVVARS");
    char *text = NULL;
    apr_size_t length = 0;
    apr_status_t status;
    char buf[AMGR_APACHE_WHY_LEN];

    if (path == NULL || *path == '\0') {
        path = apr_pstrcat(reader->pool, dir, "/envvars", NULL);
    }
    /* Scripts that start Apache set it before they read the file. */
    apr_hash_set(reader->environment, "APACHE_CONFDIR", APR_HASH_KEY_STRING,
                 dir);
    status = amgr_apache_slurp(path, MAX_ENVIRONMENT_BYTES, &text, &length);
    if (status != APR_SUCCESS) {
        if (!APR_STATUS_IS_ENOENT(status)) {
            amgr_apache_warn(
                reader, "%s is not read: %s", amgr_apache_shown(reader, path),
                status == APR_EINVAL ? "not a regular file"
                                     : apr_strerror(status, buf, sizeof(buf)));
        }
        return;
    }
    reader->file = path;
    amgr_apache_read_environment(reader, text, length);
    free(text);
}

/* The main file's text, and its absolute path, which all that it includes is
 * relative to. */
static const amgr_fault_t *read_main(const char **file, char **out_text,
                                     apr_size_t *out_length, apr_pool_t *pool)
{
    char *path = NULL;
    char buf[AMGR_APACHE_WHY_LEN];
    apr_status_t status =
        apr_filepath_merge(&path, NULL, *file, APR_FILEPATH_TRUENAME, pool);

    if (status == APR_SUCCESS) {
        *file = path;
        status = amgr_apache_slurp(path, AMGR_APACHE_MAX_FILE_BYTES, out_text,
                                   out_length);
    }
    return status == APR_SUCCESS
               ? NULL
               : amgr_fault_make(pool, amgr_fault_code(status),
                                 "cannot read %s: %s",
                                 amgr_fault_quote(pool, *file),
                                 amgr_apache_why(status, buf, sizeof(buf)));
}

const amgr_fault_t *amgr_apache_config_read(const char *file,
                                            amgr_apache_config_t *out,
                                            apr_pool_t *pool)
{
    amgr_apache_reader_t reader;
    const amgr_fault_t *fault = NULL;
    char *text = NULL;
    apr_size_t length = 0;
    const char *dir;

    if (file == NULL) {
        file = find_main(&fault, pool);
    }
    if (file == NULL) {
        return fault;
    }
    fault = read_main(&file, &text, &length, pool);
    if (fault != NULL) {
        return fault;
    }
    dir = apr_pstrmemdup(pool, file, (apr_size_t)(strrchr(file, '/') - file));
    amgr_apache_reader_init(&reader, usual_root(dir, pool), out, pool);
    out->file = file;
    read_environment(&reader, dir);
    reader.file = file;
    amgr_apache_read_text(&reader, text, length);
    amgr_apache_reader_finish(&reader);
    free(text);
    return NULL;
}
