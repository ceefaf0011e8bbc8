/* SPDX-License-Identifier: Apache-2.0
 *
 * See directives_paths.h.
 */
#include "httpd/directives_paths.h"

#include <strings.h>

#include "httpd/directive_parts.h"

const char *amgr_set_data_file(cmd_parms *cmd, void *unused, const char *value)
{
    amgr_config_t *config = member(cmd);
    const char *wrong = misplaced(cmd);
    const char *path;

    (void)unused;
    if (wrong != NULL) {
        return wrong;
    }
    if (strcasecmp(value, "Off") == 0) {
        config->data_file_off = 1;
        config->data_file = NULL;
        return NULL;
    }
    path = ap_runtime_dir_relative(cmd->pool, value);
    if (path == NULL || *value == '\0' || value[strlen(value) - 1] == '/') {
        return refuse(cmd, value, "the path of a file, or Off");
    }
    config->data_file_off = 0;
    config->data_file = path;
    return NULL;
}

const char *amgr_set_socket(cmd_parms *cmd, void *unused, const char *value)
{
    const char **socket = member(cmd);
    const char *wrong = misplaced(cmd);
    const char *path;

    (void)unused;
    if (wrong != NULL) {
        return wrong;
    }
    if (strcasecmp(value, "Off") == 0) {
        *socket = NULL;
        return NULL;
    }
    path = ap_runtime_dir_relative(cmd->pool, value);
    if (path == NULL || *value == '\0' || value[strlen(value) - 1] == '/') {
        return refuse(cmd, value, "the path of a socket, or Off");
    }
    if (strlen(path) >= AMGR_SOCKET_PATH_LEN) {
        return refuse(cmd, value,
                      apr_psprintf(cmd->pool,
                                   "a path of at most %d bytes, directory and "
                                   "all, or Off",
                                   AMGR_SOCKET_PATH_LEN - 1));
    }
    *socket = path;
    return NULL;
}

char **amgr_directive_words(apr_pool_t *pool, const char *args, int *out_count)
{
    apr_array_header_t *words = apr_array_make(pool, 4, sizeof(char *));

    while (*args != '\0') {
        *(char **)apr_array_push(words) = ap_getword_conf(pool, &args);
    }
    *out_count = words->nelts;
    *(char **)apr_array_push(words) = NULL;
    return (char **)words->elts;
}

static int is_program(const char *path)
{
    return path != NULL && path[0] == '/' && path[strlen(path) - 1] != '/';
}

const char *amgr_set_kill_command(cmd_parms *cmd, void *unused,
                                  const char *args)
{
    char ***commands = member(cmd);
    const char *wrong = misplaced(cmd);
    const char *word;
    char **argv;
    int argc;
    int event = 0;

    (void)unused;
    if (wrong != NULL) {
        return wrong;
    }
    word = ap_getword_conf(cmd->pool, &args);
    while (event < AMGR_COMMAND_EVENT_COUNT &&
           strcasecmp(word, amgr_command_event_word(event)) != 0) {
        event++;
    }
    if (event == AMGR_COMMAND_EVENT_COUNT) {
        return refuse(cmd, word, "before or after, and a program");
    }
    if (commands[event] != NULL) {
        return refuse(cmd, word, "each of before and after once");
    }
    argv = amgr_directive_words(cmd->pool, args, &argc);
    if (!is_program(argv[0])) {
        return refuse(cmd, argc == 0 ? "" : argv[0],
                      "the absolute path of a program");
    }
    commands[event] = argv;
    return NULL;
}
