/* SPDX-License-Identifier: Apache-2.0
 *
 * What the setters of directives call of httpd, in the place of httpd, and how
 * httpd calls them: a line of the configuration, or a section with the lines in
 * it, in the main server, a virtual host, a <Location> or a <Limit>.
 */
#ifndef AMGR_DIRECTIVES_HTTPD_H
#define AMGR_DIRECTIVES_HTTPD_H

#include "fuzz.h"

#include <strings.h>

#include <ap_provider.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_main.h>
#include <http_request.h>

#include "../unit/conf_words.h"
#include "httpd/config.h"
#include "httpd/directives.h"
#include "httpd/directory.h"
#include "httpd/log.h"
#include "httpd/mod_apache_manager.h"
#include "httpd/runtime.h"
#include "httpd/scoreboard.h"
#include "httpd/supervisor_link.h"
#include "httpd/timed_request.h"

/** Where a directive stands. */
typedef enum place_e { MAIN = 0, VHOST, LOCATION, LIMIT, PLACE_COUNT } place_e;

/** The index that httpd would have given it is 0. */
module AP_MODULE_DECLARE_DATA apache_manager_module;

const char *ap_server_root = "/fuzz";
server_rec *ap_server_conf;

static int place; /**< place_e, of the line at hand */

const char *ap_check_cmd_context(cmd_parms *cmd, unsigned forbidden)
{
    int is_forbidden = (place == VHOST && (forbidden & NOT_IN_VIRTUALHOST)) ||
                       (place == LOCATION && (forbidden & NOT_IN_LOCATION)) ||
                       (place == LIMIT && (forbidden & NOT_IN_LIMIT));

    return is_forbidden ? apr_pstrcat(cmd->pool, cmd->cmd->name,
                                      " cannot occur here", NULL)
                        : NULL;
}

/** The other blanks are blanks by now. */
char *ap_getword_conf(apr_pool_t *p, const char **line)
{
    char *copy = apr_pstrdup(p, *line);
    char *rest = copy;
    char *word = conf_word(&rest);

    *line += rest - copy;
    return word;
}

char *ap_runtime_dir_relative(apr_pool_t *p, const char *fname)
{
    if (strstr(fname, "..") != NULL) {
        return NULL; /* above the root, say */
    }
    return fname[0] == '/' ? apr_pstrdup(p, fname)
                           : apr_pstrcat(p, "/run/", fname, NULL);
}

char *ap_make_dirstr_parent(apr_pool_t *p, const char *s)
{
    const char *slash = strrchr(s, '/');

    return slash == NULL ? apr_pstrdup(p, "")
                         : apr_pstrmemdup(p, s, (apr_size_t)(slash - s) + 1);
}

/** One verifier of another module, which is not told what it does not take. */
static const char *check_words(int argc, const char *const *argv,
                               apr_pool_t *pool)
{
    (void)pool; /* a constant will do */
    check(argv[argc] == NULL);
    return argc == 1 ? NULL : "one word";
}

static int never_run(int argc, const char *const *argv, char *why,
                     apr_size_t size)
{
    (void)argc;
    (void)argv;
    (void)why;
    check(size == 0); /* while a configuration is read */
    return 1;
}

void *ap_lookup_provider(const char *provider_group, const char *provider_name,
                         const char *provider_version)
{
    static amgr_verifier_t mine = {sizeof(mine), never_run, check_words};

    (void)provider_version;
    check(strcmp(provider_group, AMGR_VERIFIER_GROUP) == 0);
    return strcmp(provider_name, "mine") == 0 ? &mine : NULL;
}

int ap_exists_config_define(const char *name)
{
    (void)name;
    return 0;
}

/* What is called when requests come, or is only registered. */

const char *apr_hook_debug_current;

module *ap_find_linked_module(const char *name)
{
    (void)name;
    return NULL;
}

void ap_hook_handler(ap_HOOK_handler_t *pf, const char *const *aszPre,
                     const char *const *aszSucc, int nOrder)
{
    (void)pf;
    (void)aszPre;
    (void)aszSucc;
    (void)nOrder;
}

void ap_hook_fixups(ap_HOOK_fixups_t *pf, const char *const *aszPre,
                    const char *const *aszSucc, int nOrder)
{
    (void)pf;
    (void)aszPre;
    (void)aszSucc;
    (void)nOrder;
}

void amgr_timed_request_install(void)
{
}

amgr_runtime_t *amgr_runtime(void)
{
    return NULL;
}

int amgr_scoreboard_is_of_today(void)
{
    return 0;
}

const char *amgr_supervisor_link_socket(apr_pool_t *p)
{
    return apr_pstrdup(p, "/run/managed.sock");
}

/* ---- how httpd calls a setter ------------------------------------------- */

static const command_rec *find_command(const char *name)
{
    const command_rec *row = amgr_directives;

    while (row->name != NULL && strcasecmp(row->name, name) != 0) {
        row++;
    }
    return row->name == NULL ? NULL : row;
}

static const char *set_words(const command_rec *row, cmd_parms *cmd,
                             void *directory, const char *args)
{
    char *argv[64];
    int argc = conf_split(apr_pstrdup(cmd->pool, args), (const char **)argv,
                          (int)AMGR_COUNT(argv));
    const char *wrong = NULL;
    int i;

    if (row->args_how == TAKE_ARGV) {
        return row->AP_TAKE_ARGV(cmd, directory, argc, argv);
    }
    if (argc == 0 || argv[0][0] == '\0' ||
        (argc > 1 && row->args_how == TAKE1) ||
        (argc > 2 && row->args_how == TAKE12)) {
        return apr_pstrcat(cmd->pool, row->name, " takes other arguments",
                           NULL);
    }
    switch (row->args_how) {
    case TAKE1:
        return row->AP_TAKE1(cmd, directory, argv[0]);
    case TAKE12:
        return row->AP_TAKE2(cmd, directory, argv[0],
                             argc > 1 ? argv[1] : NULL);
    default:
        check(row->args_how == ITERATE);
        for (i = 0; i < argc && argv[i][0] != '\0' && wrong == NULL; i++) {
            wrong = row->AP_TAKE1(cmd, directory, argv[i]);
        }
        return wrong;
    }
}

static const char *set_one(cmd_parms *cmd, void *directory,
                           ap_directive_t *node)
{
    const command_rec *row = find_command(node->directive);
    const command_rec *outer = cmd->cmd;
    void *outer_info = cmd->info;
    const char *wrong;

    if (row == NULL) {
        return apr_pstrcat(cmd->pool, node->directive, " is not known", NULL);
    }
    cmd->cmd = row;
    cmd->info = row->cmd_data;
    cmd->directive = node;
    wrong = row->args_how == RAW_ARGS
                ? row->AP_RAW_ARGS(cmd, directory, node->args)
                : set_words(row, cmd, directory, node->args);
    cmd->cmd = outer;
    cmd->info = outer_info;
    return wrong;
}

const char *ap_walk_config(ap_directive_t *current, cmd_parms *parms,
                           ap_conf_vector_t *section_vector)
{
    ap_directive_t *section = parms->directive;
    const char *wrong = NULL;

    check(section_vector == NULL); /* as it was given */
    for (; current != NULL && wrong == NULL; current = current->next) {
        wrong = set_one(parms, NULL, current);
    }
    parms->directive = section;
    return wrong;
}

#endif
