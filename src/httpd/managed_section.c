/* SPDX-License-Identifier: Apache-2.0
 *
 * See managed_section.h.  httpd has built the tree of a section when it comes
 * here, and carried out in it what it does while reading: Include, Define,
 * <IfModule> and their like leave what they stand for.
 */
#include "httpd/managed_section.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <apr_lib.h>
#include <http_core.h>
#include <http_main.h>

#include "base/sink.h"
#include "httpd/directive_parts.h"
#include "httpd/directives_paths.h"
#include "httpd/gate.h"
#include "httpd/log.h"
#include "httpd/supervisor_link.h"
#include "httpd/verifiers.h"
#include "supervise/spec/spec.h"

#define DUMP_DEFINE "DUMP_MANAGED"

static const char *wrong_value(cmd_parms *cmd, const amgr_spec_t *spec,
                               const char *key, const char *value,
                               const char *expected)
{
    return apr_psprintf(cmd->pool,
                        "process %s: %s: '%s' is not valid (expected %s)",
                        spec->name, key, value, expected);
}

/** The verifier of another module has its say about its words. */
static const char *check_verifier(cmd_parms *cmd, const amgr_spec_t *spec,
                                  const char *key)
{
    const amgr_verify_t *verify = NULL;
    const char *expected;

    if (strcasecmp(key, "Verify") == 0) {
        verify = &spec->verify;
    }
    else if (strcasecmp(key, "Liveness") == 0) {
        verify = &spec->liveness;
    }
    expected =
        verify == NULL ? NULL : amgr_verifiers_check(verify, cmd->temp_pool);
    return expected == NULL
               ? NULL
               : wrong_value(cmd, spec, key, verify->name, expected);
}

/** One line of a section. */
static const char *take(cmd_parms *cmd, amgr_spec_t *spec,
                        const ap_directive_t *node)
{
    const char *key = node->directive;
    const char *wrong;
    const char **argv;
    int argc;
    int i;

    if (key[0] == '<') {
        return apr_psprintf(cmd->pool,
                            "process %s: %s> is not valid (expected no section "
                            "within the section)",
                            spec->name, key);
    }
    argv =
        (const char **)amgr_directive_words(cmd->temp_pool, node->args, &argc);
    for (i = 0; i < argc; i++) {
        argv[i] = amgr_spec_absolute(key, argc, argv, i, ap_server_root,
                                     cmd->temp_pool);
    }
    wrong =
        amgr_spec_add(spec, key, argc, argv, amgr_verifiers_known, cmd->pool);
    return wrong != NULL ? wrong : check_verifier(cmd, spec, key);
}

/** All lines of a section, and what they are together. */
static const char *take_all(cmd_parms *cmd, amgr_spec_t *spec)
{
    const ap_directive_t *node;

    for (node = cmd->directive->first_child; node != NULL; node = node->next) {
        const char *wrong = take(cmd, spec, node);

        if (wrong != NULL) {
            cmd->err_directive = node;
            return wrong;
        }
    }
    return amgr_spec_finish(spec, cmd->pool);
}

const char *amgr_set_managed(cmd_parms *cmd, void *unused, const char *args)
{
    amgr_config_t *config = ap_get_module_config(cmd->server->module_config,
                                                 &apache_manager_module);
    const char *end = ap_strrchr_c(args, '>');
    const char *wrong = misplaced(cmd);
    amgr_spec_t *spec = NULL;
    const char *name;

    (void)unused; /* per-directory configuration: there is none */
    if (wrong != NULL) {
        return wrong;
    }
    if (end != NULL) {
        args = apr_pstrmemdup(cmd->pool, args, (apr_size_t)(end - args));
    }
    name = ap_getword_conf(cmd->pool, &args);
    if (end == NULL || end[1] != '\0' || *args != '\0') {
        return refuse(cmd, name, "the name of one process, and >");
    }
    wrong = amgr_spec_create(name, &spec, cmd->pool);
    if (wrong != NULL) {
        return refuse(cmd, name, wrong);
    }
    wrong = take_all(cmd, spec);
    if (wrong == NULL && spec->gates->nelts > 0) {
        amgr_gate_install(cmd);
    }
    if (wrong == NULL) {
        if (config->managed == NULL) {
            config->managed =
                apr_array_make(cmd->pool, 4, sizeof(const amgr_spec_t *));
        }
        *(const amgr_spec_t **)apr_array_push(config->managed) = spec;
    }
    return wrong;
}

/** Whether two paths are one file, also by way of links to its directory. */
static int is_same_place(const char *one, const char *other, apr_pool_t *pool)
{
    const char *one_name = apr_filepath_name_get(one);
    const char *other_name = apr_filepath_name_get(other);
    struct stat one_dir;
    struct stat other_dir;

    return strcmp(one_name, other_name) == 0 &&
           (strcmp(one, other) == 0 ||
            (stat(ap_make_dirstr_parent(pool, one), &one_dir) == 0 &&
             stat(ap_make_dirstr_parent(pool, other), &other_dir) == 0 &&
             one_dir.st_dev == other_dir.st_dev &&
             one_dir.st_ino == other_dir.st_ino));
}

/** The ticker and the supervisor would take the place from each other. */
static const char *check_socket(const char *path, apr_pool_t *ptemp)
{
    const char *taken = amgr_supervisor_link_socket(ptemp);

    if (path == NULL || taken == NULL || !is_same_place(path, taken, ptemp)) {
        return NULL;
    }
    return apr_psprintf(ptemp,
                        "ManagerSocket: '%s' is not valid (expected another "
                        "path: orders to managed processes are taken there)",
                        path);
}

/** What is wrong with all sections together, or NULL. */
static const char *check_all(const amgr_config_t *config, apr_pool_t *ptemp)
{
    const char *stranger = amgr_gate_stranger(config->managed);
    const amgr_spec_t *const *specs;
    const char *wrong = check_socket(config->control_socket, ptemp);

    if (wrong != NULL) {
        return wrong;
    }
    if (stranger != NULL) {
        return apr_psprintf(ptemp,
                            "ManagerGate: '%s' is not valid (expected the name "
                            "of a <ManagedProcess> section)",
                            stranger);
    }
    if (config->managed == NULL) {
        return NULL;
    }
    specs = (const amgr_spec_t *const *)config->managed->elts;
    wrong = amgr_specs_check(specs, config->managed->nelts, ptemp);
    return wrong != NULL || !config->start_in_order
               ? wrong
               : amgr_specs_check_order(specs, config->managed->nelts, ptemp);
}

int amgr_hook_check_config(apr_pool_t *pconf, apr_pool_t *plog,
                           apr_pool_t *ptemp, server_rec *s)
{
    const amgr_config_t *config =
        ap_get_module_config(s->module_config, &apache_manager_module);
    const char *wrong = check_all(config, ptemp);

    (void)pconf; /* the hook's signature */
    (void)plog;
    if (wrong == NULL) {
        return OK;
    }
    amgr_log(NULL, AMGR_TAG_MANAGED_CONFIG, APLOG_STARTUP | APLOG_ERR, 0, "%s",
             wrong);
    return HTTP_INTERNAL_SERVER_ERROR;
}

static apr_status_t print(void *baton, const char *data, apr_size_t len)
{
    return fwrite(data, 1, len, baton) == len ? APR_SUCCESS : APR_EGENERAL;
}

void amgr_hook_test_config(apr_pool_t *pconf, server_rec *s)
{
    const amgr_config_t *config =
        ap_get_module_config(s->module_config, &apache_manager_module);
    int count = config->managed == NULL ? 0 : config->managed->nelts;
    amgr_sink_t sink;
    char buf[1024];
    int i;

    (void)pconf; /* the hook's signature */
    if (!ap_exists_config_define(DUMP_DEFINE)) {
        return;
    }
    amgr_sink_init(&sink, buf, sizeof(buf), print, stdout);
    amgr_sink_printf(&sink, "ManagerStartOrder %s\nManagerExitWhenDone %s\n",
                     config->start_in_order ? "Config" : "After",
                     config->exit_when_done ? "On" : "Off");
    for (i = 0; i < count; i++) {
        amgr_sink_putc(&sink, '\n');
        amgr_spec_dump(APR_ARRAY_IDX(config->managed, i, const amgr_spec_t *),
                       &sink);
    }
    /* There is nobody to be told when standard output takes no more. */
    (void)amgr_sink_finish(&sink);
    (void)fflush(stdout); /* httpd prints on, and cannot tell either */
}
