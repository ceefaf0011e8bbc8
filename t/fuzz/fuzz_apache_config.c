/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a file of Apache's configuration; after a line of "%" alone, as
 * its environment file.  Nothing is included.  Checked besides memory: what is
 * told can be connected to, and no warning commands a terminal.
 */
#include "fuzz.h"

#include "cli/config/apache_config_parts.h"

static void check_text(const char *text)
{
    for (; *text != '\0'; text++) {
        check((unsigned char)*text >= 0x20 && *text != 0x7F);
    }
}

static void check_config(const amgr_apache_config_t *config)
{
    int i;

    check(config->listens->nelts <= AMGR_APACHE_MAX_LISTENS);
    for (i = 0; i < config->listens->nelts; i++) {
        const amgr_listen_t *listen =
            &APR_ARRAY_IDX(config->listens, i, amgr_listen_t);

        check(listen->port != 0 && listen->address[0] != '\0');
        check_text(listen->address);
    }
    check(config->warnings->nelts <= AMGR_APACHE_MAX_WARNINGS);
    check(config->bad_listens->nelts <= AMGR_APACHE_MAX_WARNINGS);
    for (i = 0; i < config->warnings->nelts; i++) {
        check_text(APR_ARRAY_IDX(config->warnings, i, const char *));
    }
    for (i = 0; i < config->bad_listens->nelts; i++) {
        check_text(APR_ARRAY_IDX(config->bad_listens, i, const char *));
    }
    check(config->status_path == NULL || config->status_path[0] == '/');
    check(config->manager_path == NULL || config->manager_path[0] == '/');
    check(config->pid_file == NULL || config->pid_file[0] == '/');
    check(config->data_file == NULL || !config->data_file_off);
}

/* A copy that ends where its memory does. */
static char *copy(const char *from, size_t length)
{
    char *text = malloc(length + 1);

    check(text != NULL);
    memcpy(text, from, length);
    text[length] = '\0';
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    amgr_apache_reader_t reader;
    amgr_apache_config_t config;
    apr_pool_t *pool = fuzz_pool();
    char *text = copy(size > 0 ? (const char *)data : "", size);
    char *mark = strstr(text, "\n%\n");
    char *script = NULL;

    amgr_apache_reader_init(&reader, "/nonexistent", &config, pool);
    /* No file at all may be read. */
    reader.depth = AMGR_APACHE_MAX_DEPTH;
    reader.files_left = 0;
    if (mark != NULL) {
        script = copy(mark + 3, size - (size_t)(mark + 3 - text));
        reader.file = "envvars";
        amgr_apache_read_environment(&reader, script, strlen(script));
        size = (size_t)(mark - text);
        *mark = '\0';
    }
    reader.file = "httpd.conf";
    amgr_apache_read_text(&reader, text, size);
    check(reader.sections->nelts == 0);
    amgr_apache_reader_finish(&reader);
    free(script);
    free(text);
    check_config(&config);
    apr_pool_destroy(pool);
    return 0;
}
